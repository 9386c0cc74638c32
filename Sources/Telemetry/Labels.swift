// poyang
// SPDX-License-Identifier: Apache-2.0

/// One name and its value.
package struct Label: Hashable, Comparable, Sendable, Codable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    package static func < (left: Label, right: Label) -> Bool {
        (left.name, left.value) < (right.name, right.value)
    }
}

/// The identity of a series or an alert: label names with their values, sorted by name, each name once.
///
/// An empty value is the same as no label, as in Prometheus. The metric name is the label `__name__`.
package struct Labels: Hashable, Sendable {
    /// The label that holds the metric name.
    package static let metricName = "__name__"
    package static let empty = Labels([])

    private var storage: [Label]

    /// Sorts; of a name given twice the last value stays; empty values are dropped.
    package init(_ labels: some Sequence<Label>) {
        self.storage = []
        for label in labels { self[label.name] = label.value }
    }

    package init(_ pairs: KeyValuePairs<String, String>) {
        self.init(pairs.map { Label(name: $0.key, value: $0.value) })
    }

    /// - Parameter sorted: Labels already in the order of their names, without empty values or repeated names.
    package init(sorted: [Label]) {
        self.storage = sorted
    }

    /// A series' labels with its metric name.
    package init(metric: String, _ pairs: KeyValuePairs<String, String> = [:]) {
        self.init(pairs)
        self[Labels.metricName] = metric
    }

    /// The value of a label; the empty text where there is none.
    package subscript(name: String) -> String {
        get { self.value(of: name) ?? "" }
        set {
            let index = self.storage.firstIndex { $0.name >= name } ?? self.storage.endIndex
            let exists = index < self.storage.endIndex && self.storage[index].name == name
            switch (exists, newValue.isEmpty) {
            case (true, true): self.storage.remove(at: index)
            case (true, false): self.storage[index] = Label(name: name, value: newValue)
            case (false, false): self.storage.insert(Label(name: name, value: newValue), at: index)
            case (false, true): break
            }
        }
    }

    package func value(of name: String) -> String? {
        for label in self.storage where label.name == name { return label.value }
        return nil
    }

    package var metric: String { self[Labels.metricName] }
    package var site: String { self["site"] }

    package func removing(_ name: String) -> Labels {
        Labels(sorted: self.storage.filter { $0.name != name })
    }

    package func removing(_ names: some Collection<String>) -> Labels {
        Labels(sorted: self.storage.filter { !names.contains($0.name) })
    }

    /// Whether a label tells what a metric is rather than which series: its name, type or unit (Prometheus proposal
    /// "Metadata labels").
    ///
    /// Asked for every label of every row: the length decides mostly.
    package static func isMetadata(_ name: String) -> Bool {
        name.utf8.count == 8 && (name == Labels.metricName || name == "__type__" || name == "__unit__")
    }

    package var hasMetadata: Bool {
        for label in self.storage where Labels.isMetadata(label.name) { return true }
        return false
    }

    /// What is left when the values mean something else.
    package func removingMetadata() -> Labels {
        Labels(sorted: self.storage.filter { !Labels.isMetadata($0.name) })
    }

    package func keeping(_ names: some Collection<String>) -> Labels {
        Labels(sorted: self.storage.filter { names.contains($0.name) })
    }

    package func with(_ name: String, _ value: String) -> Labels {
        var copy = self
        copy[name] = value
        return copy
    }

    /// All labels of both; where both have a name the value of `other` stays.
    package func merging(_ other: Labels) -> Labels {
        var copy = self
        for label in other { copy[label.name] = label.value }
        return copy
    }
}

extension Labels: RandomAccessCollection {
    package var startIndex: Int { self.storage.startIndex }
    package var endIndex: Int { self.storage.endIndex }
    package subscript(position: Int) -> Label { self.storage[position] }
}

extension Labels: Comparable {
    package static func < (left: Labels, right: Labels) -> Bool {
        left.storage.lexicographicallyPrecedes(right.storage)
    }
}

extension Labels: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements.map { Label(name: $0.0, value: $0.1) })
    }
}

/// As a JSON object, `{"__name__":"up","job":"x"}`.
extension Labels: Codable {
    package init(from decoder: any Decoder) throws {
        let pairs = try decoder.singleValueContainer().decode([String: String].self)
        self.init(pairs.map { Label(name: $0.key, value: $0.value) })
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Dictionary(uniqueKeysWithValues: self.storage.map { ($0.name, $0.value) }))
    }
}

extension Labels: CustomStringConvertible {
    /// As Prometheus writes it: `water_level_meters{site="xingzi"}`.
    package var description: String {
        let pairs = self.storage.filter { $0.name != Labels.metricName }
        if pairs.isEmpty, !self.metric.isEmpty { return self.metric }
        return self.metric + "{" + pairs.map { "\($0.name)=\(quoted($0.value))" }.joined(separator: ", ") + "}"
    }
}

private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\": result += "\\\\"
        case "\"": result += "\\\""
        case "\n": result += "\\n"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
