// poyang
// SPDX-License-Identifier: Apache-2.0

/// How far a long command is: a line on a terminal that overwrites itself; elsewhere a line every ten seconds.
struct Progress {
    private let total: Int64?
    private let unit: String
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var shown: ContinuousClock.Instant
    private let isShown = StandardError.isTerminal
    private(set) var done: Int64 = 0
    /// How far the whole is, where it is measured in something else than what is counted (bytes of a file).
    var fraction: Double?

    init(total: Int64?, unit: String) {
        self.total = total
        self.unit = unit
        self.start = self.clock.now
        self.shown = self.start
    }

    mutating func advance(by count: Int64) {
        self.done += count
        let now = self.clock.now
        guard now - self.shown > (self.isShown ? .milliseconds(250) : .seconds(10)) else { return }
        self.shown = now
        let line = self.line(elapsed: (now - self.start) / .seconds(1))
        if self.isShown { StandardError.overwrite(line) } else { StandardError.write(line) }
    }

    func finish(saying text: String) {
        if self.isShown { StandardError.overwrite("") }
        let seconds = (self.clock.now - self.start) / .seconds(1)
        let rate = seconds > 0 ? " (\(Int64(Double(self.done) / seconds)) \(self.unit)/s)" : ""
        StandardError.write("\(text)\(rate)")
    }

    func line(elapsed seconds: Double) -> String {
        var line = "\(self.done) \(self.unit), \(Int64(Double(self.done) / max(seconds, 0.001)))/s"
        let share = self.fraction ?? self.total.flatMap { $0 > 0 ? Double(self.done) / Double($0) : nil }
        if let share, share > 0 {
            let left = Int64((seconds / share * (1 - min(share, 1))).rounded(.up))
            let filled = Int(min(share, 1) * 20)
            let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: 20 - filled)
            line = "[\(bar)] \(Int(min(share, 1) * 100)) %, \(line), \(left) s left"
        }
        return line
    }
}
