// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// The weather of a region: the same for the same seed, whenever and in whatever order it is asked for.
///
/// Storms pass over all sites, each a little earlier or later and stronger or weaker.
struct Weather {
    let seed: UInt64
    let profile: SimulationProfile
    let start: Timestamp

    private static let span: Milliseconds = 6 * .hour

    /// How storms reach a site.
    struct Exposure: Hashable {
        /// So much later than elsewhere.
        var delay: Milliseconds
        /// So much stronger.
        var share: Double
    }

    func exposure(of site: String) -> Exposure {
        var numbers = SeededNumbers(seed: self.seed, site)
        let delay = Milliseconds(numbers.number(0...Double(40 * Milliseconds.minute)))
        return Exposure(delay: delay, share: numbers.number(0.7...1.3))
    }

    /// Rain at a site, in mm/h.
    func rain(at time: Timestamp, site: String) -> Double { self.rain(at: time, self.exposure(of: site)) }

    func rain(at time: Timestamp, _ exposure: Exposure) -> Double {
        let local = time - exposure.delay
        let slot = local.milliseconds / Self.span
        var intensity = 0.0
        for slot in [slot - 1, slot] { intensity += self.storm(slot).map { $0.intensity(at: local) } ?? 0 }
        if let great = self.profile.greatStorm {
            let begin = self.start + Milliseconds(great.afterHours * Double(Milliseconds.hour))
            intensity += Storm(begin: begin, hours: great.hours, peak: great.peak).intensity(at: local)
        }
        return intensity * exposure.share
    }

    private struct Storm {
        var begin: Timestamp
        var hours: Double
        /// mm/h.
        var peak: Double

        /// Rises for a third of its time, and falls off.
        func intensity(at time: Timestamp) -> Double {
            let hour = Double(time - self.begin) / Double(Milliseconds.hour)
            guard hour > 0, hour < self.hours else { return 0 }
            let top = self.hours / 3
            return self.peak * (hour < top ? hour / top : (self.hours - hour) / (self.hours - top))
        }
    }

    private func storm(_ slot: Int64) -> Storm? {
        var numbers = SeededNumbers(seed: self.seed, "storm", slot)
        // What comes, comes after the beginning.
        let isBefore = slot * Self.span < self.start.milliseconds && self.profile == .flood
        let profile = isBefore ? .calm : self.profile
        guard numbers.number(0...1) < profile.stormShare else { return nil }
        let begin =
            Timestamp(milliseconds: slot * Self.span) + Milliseconds(numbers.number(0...0.8) * Double(Self.span))
        return Storm(begin: begin, hours: numbers.number(1...5), peak: numbers.number(profile.intensity))
    }

    /// Air temperature, in ℃: that of the season around 29° N, of the time of day, cooler in rain.
    func temperature(at time: Timestamp, site: String) -> Double {
        let season = -cos((self.dayOfYear(time) - 15) / 365.25 * 2 * .pi)
        let day = cos((self.hour(time) - 14.5) / 24 * 2 * .pi)
        let wobble = self.wobble(time, site, "temperature", hours: 30)
        return 18 + 11 * season + 4 * day + 2 * wobble + self.profile.warmth
            - min(4, self.rain(at: time, site: site) / 4)
    }

    /// The share of the sky's light, 0 at night.
    func light(at time: Timestamp, site: String) -> Double {
        let height = max(0, sin((self.hour(time) - 6) / 12 * .pi))
        let cloud = min(
            0.9,
            0.25 + 0.2 * self.wobble(time, site, "cloud", hours: 8) + self.rain(at: time, site: site) / 5
        )
        return height * (1 - max(0, cloud))
    }

    /// Hours of local time (+08:00), with their fraction.
    func hour(_ time: Timestamp) -> Double {
        let local = time + Milliseconds(Timestamp.chinaOffsetMinutes) * .minute
        return Double(local.milliseconds % .day) / Double(Milliseconds.hour)
    }

    private func dayOfYear(_ time: Timestamp) -> Double {
        Double(time.milliseconds).truncatingRemainder(dividingBy: 365.25 * Double(Milliseconds.day))
            / Double(Milliseconds.day)
    }

    /// Something between -1 and 1 that changes slowly: values at multiples of `hours`, and a smooth way between.
    func wobble(_ time: Timestamp, _ site: String, _ name: String, hours: Double) -> Double {
        let position = Double(time.milliseconds) / (hours * Double(Milliseconds.hour))
        let left = position.rounded(.down)
        func value(_ index: Double) -> Double {
            var numbers = SeededNumbers(seed: self.seed, "\(site)/\(name)", Int64(index))
            return numbers.number(-1...1)
        }
        let share = position - left
        let smooth = share * share * (3 - 2 * share)
        return value(left) * (1 - smooth) + value(left + 1) * smooth
    }
}
