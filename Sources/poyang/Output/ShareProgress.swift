// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How much of a long command is done: a line on a terminal that overwrites itself, nothing elsewhere; any thread.
final class ShareProgress: Sendable {
    private let what: String
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private let shown: Mutex<ContinuousClock.Instant>
    private let isShown = StandardError.isTerminal

    /// - Parameter what: What is done, such as "verifying".
    init(_ what: String) {
        self.what = what
        self.start = self.clock.now
        self.shown = Mutex(self.start)
    }

    /// Takes the share that is done, 0 to 1.
    func show(_ share: Double) {
        guard self.isShown else { return }
        let now = self.clock.now
        let isDue = self.shown.withLock { shown in
            guard now - shown > .milliseconds(250) else { return false }
            shown = now
            return true
        }
        if isDue { StandardError.overwrite(self.line(share, elapsed: (now - self.start) / .seconds(1))) }
    }

    func finish() {
        if self.isShown { StandardError.overwrite("") }
    }

    func line(_ share: Double, elapsed seconds: Double) -> String {
        let share = min(max(share, 0), 1)
        let bar = String(repeating: "#", count: Int(share * 30)).padded(to: 30)
        var line = "\(self.what) [\(bar)] \(Int(share * 100)) %"
        if share > 0 { line += ", \(Int64((seconds / share * (1 - share)).rounded(.up))) s left" }
        return line
    }
}

extension String {
    fileprivate func padded(to length: Int) -> String {
        self + String(repeating: ".", count: max(0, length - self.count))
    }
}
