// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What the alerts of a unit were, change by change, for as long as readings that come late can change it.
struct AlertTrail {
    struct Point {
        var time: Timestamp
        /// All that were not inactive then.
        var alerts: [Alert]
        /// Those that ceased to fire then, as they were last while they fired.
        var ended: [Alert] = []
    }

    /// When one alert fired, held or not.
    struct Firing {
        var since: Timestamp
        /// Nil while it fires.
        var end: Timestamp?
        /// As it was last while it fired.
        var alert: Alert

        func overlaps(_ other: Firing) -> Bool {
            self.since <= other.end ?? .distantFuture && other.since <= self.end ?? .distantFuture
        }
    }

    /// More changes than that are not kept.
    private static let longest = 256

    /// Rising times; before the first there was no alert.
    private(set) var points: [Point] = []
    /// Up to then nobody knows any more.
    private(set) var start = Timestamp.distantPast

    init() {}

    init(_ points: [Point], start: Timestamp) {
        self.points = points
        self.start = start
    }

    /// What changed last before a moment.
    func point(before moment: Timestamp) -> Point? { self.points.last { $0.time < moment } }

    func alerts(before moment: Timestamp) -> [Alert] { self.point(before: moment)?.alerts ?? [] }

    /// The same as it was just before a moment.
    func before(_ moment: Timestamp) -> AlertTrail {
        AlertTrail(self.points.filter { $0.time < moment }, start: self.start)
    }

    func hasChanges(since moment: Timestamp) -> Bool { self.points.last.map { $0.time >= moment } ?? false }

    /// Takes a change in; what no reading within `lateness` can change is let go of.
    mutating func add(_ point: Point, lateness: Milliseconds) {
        guard lateness > 0 else { return }
        var point = point
        while let last = self.points.last, last.time >= point.time {
            point.ended = last.ended + point.ended
            self.points.removeLast()
        }
        self.points.append(point)
        let oldest = point.time - lateness
        let surplus = (self.points.firstIndex { $0.time > oldest } ?? 1) - 1
        if surplus > 0 { self.points.removeFirst(surplus) }
        guard self.points.count > Self.longest else { return }
        self.points.removeFirst(self.points.count - Self.longest)
        self.start = self.points[0].time
    }

    /// Replaces everything from a moment on.
    mutating func replace(from moment: Timestamp, by other: AlertTrail) {
        self.points.removeAll { $0.time >= moment }
        self.points += other.points.filter { $0.time >= moment }
    }

    /// The firings of each alert that have a part at or after a moment, in the order of time; `now` are the alerts as
    /// they are at the end.
    func firings(from moment: Timestamp, now: [Alert]) -> [Labels: [Firing]] {
        var result: [Labels: [Firing]] = [:]
        func end(_ labels: Labels, at time: Timestamp, as alert: Alert? = nil) {
            guard var last = result[labels]?.popLast() else { return }
            if last.end == nil {
                last.end = time
                last.alert = alert ?? last.alert
            }
            result[labels]?.append(last)
        }
        func take(_ point: Point) {
            for alert in point.ended { end(alert.labels, at: point.time, as: alert) }
            let raised = point.alerts.filter(\.machine.isRaised)
            for labels in result.keys where !raised.contains(where: { $0.labels == labels }) {
                end(labels, at: point.time)
            }
            for alert in raised {
                var firings = result[alert.labels] ?? []
                if let last = firings.indices.last, firings[last].end == nil {
                    firings[last].alert = alert
                } else {
                    firings.append(Firing(since: alert.machine.firingSince ?? point.time, end: nil, alert: alert))
                }
                result[alert.labels] = firings
            }
        }
        take(Point(time: moment, alerts: self.alerts(before: moment)))
        for point in self.points where point.time >= moment { take(point) }
        for alert in now where alert.machine.isRaised {
            guard let firings = result[alert.labels], let last = firings.indices.last, firings[last].end == nil
            else { continue }
            result[alert.labels]?[last].alert = alert
        }
        return result
    }
}
