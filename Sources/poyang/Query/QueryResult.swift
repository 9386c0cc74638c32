// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The answer of the query interface as a table: the labels in the order of their names, then time and value.
enum QueryResult {
    static func table(of data: JSONValue) -> Table {
        guard data["resultType"].string != "scalar", data["resultType"].string != "string" else {
            var table = Table(columns: ["time", "value"])
            table.append(self.point(data["result"], isText: data["resultType"].string == "string"))
            return table
        }
        var names: Set<String> = []
        for series in data["result"].elements {
            if case .object(let labels) = series["metric"] { names.formUnion(labels.keys) }
        }
        let metric = names.remove("__name__") == nil ? [] : ["__name__"]
        let columns = metric + names.sorted()
        var table = Table(columns: columns.map(self.title) + ["time", "value"])
        for series in data["result"].elements {
            let labels = columns.map { series["metric"][$0] }
            let points = series["values"].isNull ? [series["value"]] : series["values"].elements
            for point in points { table.append(labels + self.point(point)) }
        }
        return table
    }

    /// The column of a label; one that is called as ours are is told apart.
    private static func title(of label: String) -> String {
        switch label {
        case "__name__": "metric"
        case "metric", "time", "value": "label_\(label)"
        default: label
        }
    }

    /// `[seconds, "value"]` as time and number; NaN and infinities stay text, which JSON has no number for.
    private static func point(_ point: JSONValue, isText: Bool = false) -> [JSONValue] {
        let parts = point.elements
        guard parts.count == 2, let seconds = parts[0].double else { return [.null, .null] }
        let time = Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        if isText { return [.string(time.rfc3339()), parts[1]] }
        let text = parts[1].cellText
        if let whole = Int64(text) { return [.string(time.rfc3339()), .integer(whole)] }
        guard let number = Double(text), number.isFinite else { return [.string(time.rfc3339()), .string(text)] }
        return [.string(time.rfc3339()), .number(number)]
    }
}
