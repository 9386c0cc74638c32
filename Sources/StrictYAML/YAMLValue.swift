// poyang
// SPDX-License-Identifier: Apache-2.0

package import Yams

/// A value of a YAML file that knows where it stands and reports what is wrong with it.
///
/// Reading never throws: a value of the wrong kind is reported to the collector and reads as `nil`.
///
/// ## Usage
/// ```swift
/// let problems = ProblemCollector()
/// if let map = YAMLValue.parse(text, file: "x.yaml", problems: problems)?.mapping(keys: ["site", "kind"]) {
///     let site = map.required("site")?.string
/// }
/// try problems.throwIfAny()
/// ```
package struct YAMLValue {
    package let node: Node
    package let file: String
    package let problems: ProblemCollector

    /// Parses the one document of a file; syntax errors and duplicate keys are reported with their place.
    ///
    /// - Returns: `nil` after an error, and for an empty file, which is reported too.
    package static func parse(_ text: String, file: String, problems: ProblemCollector) -> YAMLValue? {
        guard let (value, next) = self.firstDocument(text, file: file, problems: problems) else { return nil }
        next?
            .report(
                "a second document begins here, which nobody reads; write it into a file of its own",
                zh: "此处开始第二个文档，不会被读取；请写入单独的文件"
            )
        return next == nil ? value : nil
    }

    /// Parses the first document of a file; the second, of which no more than the beginning is looked at, is `next`.
    ///
    /// Of a key that is given twice, which is reported, the first value is read.
    package static func firstDocument(
        _ text: String,
        file: String,
        problems: ProblemCollector
    ) -> (value: YAMLValue, next: YAMLValue?)? {
        var keys = DistinctKeys(text: text)
        // Each is a new reading of the text.
        for _ in 0..<Self.mostDuplicates {
            do {
                let parser = try Parser(yaml: keys.text)
                guard let node = try parser.nextRoot() else {
                    problems.report(Problem(file: file, line: 0, column: 0, message: "the file is empty", zh: "文件为空"))
                    return nil
                }
                func value(_ node: Node) -> YAMLValue { YAMLValue(node: node, file: file, problems: problems) }
                return (value(node), try parser.nextRoot().map(value))
            } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
                let key = DistinctKeys.written(duplicates.min() ?? "")
                let (line, column) = (context.mark.line, context.mark.column)
                problems.report(
                    Problem(
                        file: file,
                        line: line,
                        column: column,
                        message: "key '\(key)' is given twice; keep one",
                        zh: "键“\(key)”重复；请只保留一个"
                    )
                )
                guard keys.tellApart(context.mark) else { return nil }
            } catch let error as YamlError {
                problems.report(Problem(file: file, error))
                return nil
            } catch {
                problems.report(Problem(file: file, line: 0, column: 0, message: "\(error)"))
                return nil
            }
        }
        return nil
    }

    private static let mostDuplicates = 32

    /// Reports `message` at this value's place; `zh` is the same in Chinese.
    package func report(_ message: String, zh: String? = nil) {
        self.problems.report(self.problem(message, zh: zh))
    }

    /// A problem at this value's place.
    package func problem(_ message: String, zh: String? = nil) -> Problem {
        Problem(file: self.file, line: self.line, column: self.column, message: message, zh: zh)
    }

    /// The value as a mapping whose keys are all in `keys`; others are reported with the nearest known key.
    package func mapping(keys: [String]) -> YAMLMapping? {
        guard let mapping = self.anyMapping() else { return nil }
        for entry in mapping.entries where !keys.contains(entry.key) {
            let hint = Spelling.nearest(to: entry.key, among: keys)
            let known = keys.sorted().joined(separator: ", ")
            entry.keyValue.report(
                "unknown key '\(entry.key)'" + (hint.map { "; did you mean '\($0)'?" } ?? "; known here: \(known)"),
                zh: "未知的键“\(entry.key)”" + (hint.map { "；是否为“\($0)”？" } ?? "；此处可用：\(known)")
            )
        }
        return mapping
    }

    /// The value as a mapping with keys of any name.
    package func anyMapping() -> YAMLMapping? {
        guard let mapping = self.node.mapping else {
            self.report(
                "expected a mapping (key: value), found \(self.kind)",
                zh: "应为键值对（key: value），现为 \(self.kindZh)"
            )
            return nil
        }
        return YAMLMapping(value: self, mapping: mapping)
    }

    /// The value as a list.
    package var list: [YAMLValue]? {
        guard let sequence = self.node.sequence else {
            self.report("expected a list, found \(self.kind)", zh: "应为列表，现为 \(self.kindZh)")
            return nil
        }
        return sequence.map { YAMLValue(node: $0, file: self.file, problems: self.problems) }
    }

    /// Any scalar as its text.
    package var string: String? {
        guard let scalar = self.node.scalar else {
            self.report("expected a text, found \(self.kind)", zh: "应为文字，现为 \(self.kindZh)")
            return nil
        }
        return scalar.string
    }

    /// The text of a scalar; nil, without a report, for anything else.
    package var textIfScalar: String? { self.node.scalar?.string }

    /// A finite or infinite number.
    package var double: Double? {
        guard let number = self.node.scalar.flatMap({ Double($0.string) ?? Double.construct(from: $0) }) else {
            self.report("expected a number, found \(self.kind)", zh: "应为数字，现为 \(self.kindZh)")
            return nil
        }
        return number
    }

    package var int: Int? {
        guard let number = self.node.scalar.flatMap({ Int($0.string) }) else {
            self.report("expected a whole number, found \(self.kind)", zh: "应为整数，现为 \(self.kindZh)")
            return nil
        }
        return number
    }

    package var bool: Bool? {
        guard let flag = self.node.scalar.flatMap({ Bool.construct(from: $0) }) else {
            self.report("expected true or false, found \(self.kind)", zh: "应为 true 或 false，现为 \(self.kindZh)")
            return nil
        }
        return flag
    }

    /// Whether this is the explicit or the empty null of YAML.
    package var isNull: Bool {
        guard let scalar = self.node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    package var isMapping: Bool { self.node.mapping != nil }

    /// Whether this is a list, for keys that take one value or several.
    package var isList: Bool { self.node.sequence != nil }

    /// Whether this is a mapping or a list without anything in it.
    package var isEmpty: Bool { self.node.mapping?.isEmpty ?? self.node.sequence?.isEmpty ?? false }

    /// Whether this is a single text or number.
    package var isScalar: Bool { self.node.scalar != nil }

    /// From 1; 0 where the parser knows no place.
    package var line: Int { self.node.mark?.line ?? 0 }

    /// From 1; 0 where the parser knows no place.
    package var column: Int { self.node.mark?.column ?? 0 }

    /// Whether this, as a key, takes over the entries of another mapping.
    fileprivate var isMergeKey: Bool { self.node.scalar.map { $0.string == "<<" && $0.style == .plain } ?? false }

    private var kind: String {
        switch self.node {
        case .scalar(let scalar): "'\(scalar.string.prefix(60))'"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    private var kindZh: String {
        switch self.node {
        case .scalar: self.kind
        case .mapping: "键值对"
        case .sequence: "列表"
        case .alias: "别名"
        }
    }
}

/// A mapping of a YAML file.
package struct YAMLMapping {
    package struct Entry {
        package let key: String
        /// The key itself, for reports about it.
        package let keyValue: YAMLValue
        package let value: YAMLValue
    }

    /// The mapping as a value, for reports about it as a whole.
    package let value: YAMLValue
    /// In the order of the file; behind them what `<<` takes over from other mappings.
    package let entries: [Entry]

    fileprivate init(value: YAMLValue, mapping: Node.Mapping) {
        self.value = value
        var entries: [Entry] = []
        var names: Set<String> = []
        var merged: [YAMLValue] = []
        func add(_ entry: Entry) {
            if names.insert(entry.key).inserted { entries.append(entry) }
        }
        for (key, node) in mapping {
            let keyValue = YAMLValue(node: key, file: value.file, problems: value.problems)
            let entryValue = YAMLValue(node: node, file: value.file, problems: value.problems)
            if keyValue.isMergeKey {
                merged += entryValue.isList ? entryValue.list ?? [] : [entryValue]
            } else {
                add(Entry(key: DistinctKeys.written(keyValue.string ?? ""), keyValue: keyValue, value: entryValue))
            }
        }
        for other in merged { other.anyMapping()?.entries.forEach(add) }
        self.entries = entries
    }

    /// The value of a key; `nil` where the key is absent or its value is null.
    package subscript(key: String) -> YAMLValue? {
        guard let value = self.entries.first(where: { $0.key == key })?.value, !value.isNull else { return nil }
        return value
    }

    /// The value of a key that must be there; its absence is reported.
    package func required(_ key: String) -> YAMLValue? {
        if let value = self[key] { return value }
        self.value.report("'\(key)' is missing", zh: "缺少“\(key)”")
        return nil
    }
}

extension Problem {
    fileprivate init(file: String, _ error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            self.init(
                file: file,
                line: mark.line,
                column: mark.column,
                message: "not YAML: \(problem)",
                zh: "不是有效的 YAML：\(problem)"
            )
        default:
            self.init(file: file, line: 0, column: 0, message: "not YAML: \(error)", zh: "不是有效的 YAML：\(error)")
        }
    }
}
