// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// When work is done on devices: what they report of such a time is kept, but is no measurement.
///
/// By the readings' own times; a window ends by itself.
package struct MaintenanceWindows: Hashable, Sendable {
    package static let none = MaintenanceWindows()

    private var byDevice: [String: [Outages.Span]] = [:]

    package init() {}

    package var isEmpty: Bool { self.byDevice.isEmpty }

    /// Adds `[start, end)`; one without a duration is left out.
    package mutating func add(_ device: String, from start: Timestamp, until end: Timestamp) {
        guard start < end else { return }
        self.byDevice[device, default: []].append(Outages.Span(start: start, end: end))
        self.byDevice[device]?.sort { $0.start < $1.start }
    }

    package func spans(of device: String) -> [Outages.Span] { self.byDevice[device] ?? [] }

    /// When the window ends in which a device is at a moment; nil where it is in none.
    package func end(of device: String, at moment: Timestamp) -> Timestamp? {
        self.spans(of: device).filter { $0.touches(moment, standingFor: 0) }.map(\.end).max()
    }
}

extension Outages.Span {
    /// Whether a reading at a time that stands for the `interval` before it tells of this span.
    func touches(_ time: Timestamp, standingFor interval: Milliseconds) -> Bool {
        time >= self.start && time - interval < self.end
    }
}

extension Outages {
    /// With further spans of which silence is not counted.
    package func joined(with spans: [Span]) -> Outages {
        guard !spans.isEmpty else { return self }
        var joined = self
        joined.spans = (self.spans + spans).sorted { $0.start < $1.start }
        return joined
    }
}
