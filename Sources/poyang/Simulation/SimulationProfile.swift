// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// What kind of time it is in a simulation.
enum SimulationProfile: String, CaseIterable, ExpressibleByArgument {
    /// A shower now and then; nothing is warned of.
    case calm
    /// A great storm soon after the beginning, and more of them: rivers rise to their thresholds of orange.
    case flood
    /// No rain, heat; soil dries, water falls below the thresholds of low water.
    case drought
    /// Calm weather, but four devices of ten are silent, stuck, give spikes, send all twice, or have a wrong clock.
    case faults

    /// The share of six-hour spans that have a storm.
    var stormShare: Double {
        switch self {
        case .calm, .faults: 0.12
        case .flood: 0.5
        case .drought: 0
        }
    }

    /// Of an ordinary storm, in mm/h.
    var intensity: ClosedRange<Double> {
        switch self {
        case .calm, .faults, .drought: 0.5...4
        case .flood: 5...25
        }
    }

    /// The storm that everybody waits for: so long after the beginning, with this peak in mm/h over so many hours.
    var greatStorm: (afterHours: Double, hours: Double, peak: Double)? {
        self == .flood ? (0.25, 5, 55) : nil
    }

    /// How much warmer it is than usual, in ℃.
    var warmth: Double { self == .drought ? 5 : 0 }
}
