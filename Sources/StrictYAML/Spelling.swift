// poyang
// SPDX-License-Identifier: Apache-2.0

/// Finds out which name may have been meant by one that nobody knows.
package enum Spelling {
    /// The nearest of some names, where no more than two letters differ.
    package static func nearest(to name: String, among names: some Sequence<String>) -> String? {
        // What is longer than any name was not meant as one.
        guard name.utf8.count <= 100 else { return nil }
        let nearest = names.map { (name: $0, distance: self.distance($0, name)) }.min { $0.distance < $1.distance }
        return nearest.flatMap { $0.distance <= 2 ? $0.name : nil }
    }

    /// What to do about a name that nobody knows: `did you mean 'flood'?`, or which names there are.
    package static func advice(for name: String, among names: [String]) -> String {
        if let nearest = self.nearest(to: name, among: names) { return "did you mean '\(nearest)'?" }
        return names.isEmpty ? "there is none" : "known: \(names.sorted().joined(separator: ", "))"
    }

    /// Levenshtein's, in characters.
    private static func distance(_ left: String, _ right: String) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let substitution = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
