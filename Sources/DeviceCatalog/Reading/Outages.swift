// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Times in which no reading could come, whoever sent one, because the broker was away.
///
/// A channel that was heard before such a time has its whole limit again when it is over: nobody is silent because of
/// it. Who was silent already stays so.
package struct Outages: Hashable, Sendable, Codable {
    package struct Span: Hashable, Sendable, Codable {
        package let start: Timestamp
        /// `distantFuture` while it lasts.
        package var end: Timestamp
    }

    /// How many are remembered.
    private static let capacity = 256

    /// One after the other.
    package internal(set) var spans: [Span] = []

    package init() {}

    /// Whether no reading can come now.
    package var isNow: Bool { self.spans.last?.end == .distantFuture }

    package mutating func begin(at moment: Timestamp) {
        guard !self.isNow else { return }
        self.spans.append(Span(start: moment, end: .distantFuture))
        if self.spans.count > Self.capacity { self.spans.removeFirst() }
    }

    package mutating func end(at moment: Timestamp) {
        guard let last = self.spans.last, self.isNow else { return }
        self.spans[self.spans.count - 1].end = max(last.start, moment)
    }

    /// How far back samples matter for the silence at a moment.
    func reach(before moment: Timestamp, limit: Milliseconds) -> Timestamp {
        var earliest = moment
        for span in self.spans.reversed() where span.start < earliest && span.end + limit > earliest {
            earliest = span.start
        }
        return earliest - limit
    }

    /// From when on a channel is silent that was heard last at a moment, and must be heard again within `limit`.
    package func silence(after heard: Timestamp, limit: Milliseconds) -> Timestamp {
        var silence = heard + limit
        for span in self.spans where span.start < silence && heard < span.end {
            guard span.end < .distantFuture else { return .distantFuture }
            silence = max(silence, span.end + limit)
        }
        return silence
    }
}
