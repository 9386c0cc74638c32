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
}
