// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
package import Telemetry

/// Why a query of the feed was refused: every problem of it, one sentence each.
package struct AlertFilterError: Error, Hashable, Sendable, CustomStringConvertible {
    package let problems: [String]

    package init(problems: [String]) {
        self.problems = problems
    }

    package var description: String { self.problems.joined(separator: " ") }
}

/// The filters of `/alerts/active`: those of the National Weather Service and ours.
///
/// A parameter may list several values, separated by commas; one of them must fit. All parameters must fit.
/// Case does not matter, except in ids.
package struct AlertFilter: Hashable, Sendable {
    package var events: Set<String> = []
    /// GB/T 2260 codes, also of a city or a province (`36`, `3604`), or names of counties.
    package var areas: Set<String> = []
    /// Degrees; within the circle that the messages give.
    package var point: Point?
    package var severities: Set<String> = []
    package var urgencies: Set<String> = []
    package var certainties: Set<String> = []
    package var statuses: Set<String> = []
    package var messageTypes: Set<String> = []
    package var orgs: Set<String> = []
    package var sites: Set<String> = []
    package var basins: Set<String> = []
    package var hazards: Set<String> = []
    package var levels: Set<WarningLevel> = []
    package var limit: Int?
    /// Identifier of the last message of the page before.
    package var cursor: String?

    package struct Point: Hashable, Sendable {
        package var latitude: Double
        package var longitude: Double
    }

    package init() {}

    /// Reads a query string's parameters, already decoded, in their order.
    package init(parameters: [(name: String, value: String)]) throws {
        var problems: [String] = []
        for (name, value) in parameters {
            if let problem = self.read(name, value) { problems.append(problem) }
        }
        guard problems.isEmpty else { throw AlertFilterError(problems: problems) }
    }

    /// - Returns: What is wrong with it.
    private mutating func read(_ name: String, _ value: String) -> String? {
        let exact = value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let values = exact.map { $0.lowercased() }
        func choose(_ allowed: [String], into set: inout Set<String>) -> String? {
            let unknown = values.filter { !allowed.contains($0) }
            set.formUnion(values)
            return unknown.isEmpty
                ? nil
                : "\(name) cannot be \(unknown.joined(separator: ", ")); one of \(allowed.joined(separator: ", "))."
        }
        switch name {
        case "event": self.events.formUnion(values)
        case "area": self.areas.formUnion(values)
        case "org": self.orgs.formUnion(exact)
        case "site": self.sites.formUnion(exact)
        case "basin": self.basins.formUnion(exact)
        case "hazard": self.hazards.formUnion(exact)
        case "severity":
            return choose(["extreme", "severe", "moderate", "minor", "unknown"], into: &self.severities)
        case "urgency":
            return choose(["immediate", "expected", "future", "past", "unknown"], into: &self.urgencies)
        case "certainty":
            return choose(["observed", "likely", "possible", "unlikely", "unknown"], into: &self.certainties)
        case "status":
            return choose(["actual", "exercise", "system", "test", "draft"], into: &self.statuses)
        case "message_type":
            return choose(["alert", "update", "cancel"], into: &self.messageTypes)
        case "level":
            let known = values.compactMap(WarningLevel.init(rawValue:))
            self.levels.formUnion(known)
            if known.count != values.count {
                return "level cannot be \(value); one of notice, blue, yellow, orange, red."
            }
        case "point":
            let numbers = exact.compactMap(Double.init)
            guard numbers.count == 2, exact.count == 2, abs(numbers[0]) <= 90, abs(numbers[1]) <= 180 else {
                return "point is latitude,longitude in degrees, as 29.45,116.05."
            }
            self.point = Point(latitude: numbers[0], longitude: numbers[1])
        case "limit":
            guard let limit = Int(value), limit > 0 else { return "limit is a number from 1." }
            self.limit = limit
        case "cursor": self.cursor = value
        default: return "No parameter is named \(name)."
        }
        return nil
    }

    package func admits(_ message: WarningMessage) -> Bool {
        let event = message.hazard.eventName
        let names: Set = [event.zh.lowercased(), event.en.lowercased(), message.hazard.rawValue.lowercased()]
        guard self.events.isEmpty || !self.events.isDisjoint(with: names) else { return false }
        guard fits(self.severities, message.severity), fits(self.urgencies, message.urgency),
            fits(self.certainties, message.certainty), fits(self.statuses, message.status.rawValue),
            fits(self.messageTypes, message.messageType)
        else { return false }
        guard self.orgs.isEmpty || self.orgs.contains(message.org),
            self.sites.isEmpty || self.sites.contains(message.site.id),
            self.basins.isEmpty || self.basins.contains(message.site.basin),
            self.hazards.isEmpty || self.hazards.contains(message.hazard.rawValue),
            self.levels.isEmpty || self.levels.contains(message.level)
        else { return false }
        return self.admitsPlace(message.site)
    }

    private func admitsPlace(_ site: SiteFacts) -> Bool {
        let fitsArea =
            self.areas.isEmpty
            || self.areas.contains { area in
                let isCode = area.allSatisfy(\.isNumber)
                return isCode
                    ? site.adminCode.hasPrefix(area)
                    : area == site.county.lowercased() || area == site.name.zh || area == site.name.en.lowercased()
            }
        guard fitsArea else { return false }
        guard let point = self.point else { return true }
        guard let latitude = site.latitude, let longitude = site.longitude else { return false }
        let center = Point(latitude: latitude, longitude: longitude)
        return kilometers(from: center, to: point) <= SiteFacts.radiusKilometers
    }

    /// One page, newest first; of messages sent in the same second, the later one of `entries` first.
    ///
    /// - Returns: The page, and the cursor of the next one where there is more.
    package func page(of entries: [FeedMessage]) -> (entries: [FeedMessage], next: String?) {
        let ordered = entries.enumerated()
            .sorted { ($0.element.message.sent, $0.offset) > ($1.element.message.sent, $1.offset) }
            .map(\.element)
        // The cursor's own message need not fit any more, or may be gone from a collection that has moved on.
        var start = ordered.startIndex
        if let cursor = self.cursor {
            start = ordered.firstIndex { $0.message.identifier == cursor }.map { $0 + 1 } ?? ordered.endIndex
        }
        let admitted = ordered[start...].filter { self.admits($0.message) }
        guard let limit = self.limit, admitted.count > limit else { return (admitted, nil) }
        let page = Array(admitted.prefix(limit))
        return (page, page.last?.message.identifier)
    }
}

private func fits(_ wanted: Set<String>, _ value: String) -> Bool {
    wanted.isEmpty || wanted.contains(value.lowercased())
}

/// Along the great circle of a sphere of 6,371 km (haversine).
private func kilometers(from: AlertFilter.Point, to: AlertFilter.Point) -> Double {
    let radians = Double.pi / 180
    let latitudes = (to.latitude - from.latitude) * radians / 2
    let longitudes = (to.longitude - from.longitude) * radians / 2
    let chord =
        sin(latitudes) * sin(latitudes) + cos(from.latitude * radians) * cos(to.latitude * radians)
        * sin(longitudes) * sin(longitudes)
    return 2 * 6371 * asin(min(1, chord.squareRoot()))
}
