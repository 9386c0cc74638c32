// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// What the water does at one site: rain runs through two storages, one after the other, into the river, fills the soil, and
/// is counted.
///
/// Moves forward only, in steps of a minute, before the beginning of five; the rivers answer to the rain of the days before the beginning, too.
struct Landscape {
    /// How long before the beginning it begins.
    private static let prelude: Milliseconds = 2 * .day

    let site: SimulatedSite
    private let weather: Weather
    private let exposure: Weather.Exposure
    private(set) var time: Timestamp
    /// Water on the hills and in the brooks, in mm over the catchment.
    private var hills = 0.0
    private var brooks = 0.0
    /// Of the topmost 200 mm, in percent of the volume.
    private(set) var soil: Double
    /// Rain since the beginning of the prelude, in mm.
    private(set) var rainTotal = 0.0
    /// Hours since rain fell that was worth the name.
    private(set) var dryHours = 0.0

    init(_ site: SimulatedSite, weather: Weather) {
        self.site = site
        self.weather = weather
        self.exposure = weather.exposure(of: site.id)
        self.time = weather.start - Self.prelude
        var numbers = SeededNumbers(seed: weather.seed, site.id + "/soil")
        self.soil = numbers.number(weather.profile == .drought ? 18...22 : 24...30)
    }

    mutating func advance(to moment: Timestamp) {
        // Brooks rise within the hour, rivers within hours, a lake in a day.
        let (first, second) =
            switch site.kind {
            case .lake, .reservoir: (6.0, 30.0)
            case .river, .rain, .field, .pond: (0.7, 3.0)
            }
        while true {
            let step: Milliseconds = self.time < self.weather.start ? 5 * .minute : .minute
            guard self.time + step <= moment else { return }
            self.time = self.time + step
            let hours = Double(step) / Double(Milliseconds.hour)
            let rain = self.weather.rain(at: self.time, self.exposure)
            self.rainTotal += rain * hours
            self.dryHours = rain > 0.2 ? 0 : self.dryHours + hours
            let runOff = self.hills / first
            self.hills += (0.6 * rain - runOff) * hours
            self.brooks += (runOff - self.brooks / second) * hours
            let floor = self.weather.profile == .drought ? 9.0 : 18.0
            let drying = (self.soil - floor) / (self.weather.profile == .drought ? 48 : 160)
            self.soil = min(46, self.soil + (0.15 * rain - drying) * hours)
        }
    }

    /// The water that a great storm brings where it is weakest, in mm.
    private var fullBrooks: Double {
        switch self.site.kind {
        case .lake, .reservoir: 37
        case .river, .rain, .field, .pond: 28
        }
    }

    /// How high the water stands above its usual level, as a share of what a great storm makes of it; below 0 in a drought.
    var rise: Double {
        if self.weather.profile == .drought {
            let days = Double(self.time - self.weather.start) / Double(Milliseconds.day)
            return -0.1 - max(0, days) * 0.15
        }
        // Great floods spread over the land.
        return 1.5 * (1 - exp(-1.2 * self.brooks / self.fullBrooks))
    }
}

/// A site as a simulation needs to know it.
struct SimulatedSite: Hashable {
    var id: String
    var kind: SiteKind
    /// The thresholds of floods in metres, from blue on; empty where it has none.
    var floodLevels: [Double] = []
    /// The thresholds of low water in metres, from blue on.
    var lowLevels: [Double] = []
}
