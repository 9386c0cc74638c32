// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

extension Datum {
    /// 吴淞, 冻结, where sources say 吴淞/冻结 without telling which, 1985 national, and a gauge's own zero.
    package static let knownNames = ["wusong", "frozen", "wusong_or_frozen", "1985", "local"]

    /// A level given in another datum, in this one: 10.11 m in 1985 are 11.97 m at a station with offset −1.86.
    ///
    /// - Returns: `nil` where the offset between the two at this place is not known; it is never guessed.
    package func level(_ level: Double, from other: String) -> Double? {
        if other == self.name { return level }
        guard other == "1985", let offset = self.offsetTo1985Meters else { return nil }
        return ((level - offset) * 1e9).rounded() / 1e9
    }

    /// A level of this datum in the national one; `nil` where the offset is not known.
    package func levelIn1985(_ level: Double) -> Double? {
        if self.name == "1985" { return level }
        return self.offsetTo1985Meters.map { ((level + $0) * 1e9).rounded() / 1e9 }
    }
}
