// poyang
// SPDX-License-Identifier: Apache-2.0

/// A unit of measurement, known by the suffix that metric names carry.
///
/// A value converts to the canonical unit of its dimension as `value * factor + offset`.
package struct Unit: Hashable, Sendable {
    /// As in metric names: `meters`, `cubic_meters_per_second`; empty for a bare number (`ph`).
    package let suffix: String
    /// As people write it: `m`, `m³/s`.
    package let symbol: String
    /// The suffix of the canonical unit of the same dimension.
    package let canonical: String
    package let factor: Double
    package let offset: Double
    /// Other spellings accepted in files: `ft`, `feet`.
    package let aliases: [String]

    private init(
        _ suffix: String,
        _ symbol: String,
        canonical: String? = nil,
        factor: Double = 1,
        offset: Double = 0,
        aliases: [String] = []
    ) {
        self.suffix = suffix
        self.symbol = symbol
        self.canonical = canonical ?? suffix
        self.factor = factor
        self.offset = offset
        self.aliases = aliases
    }

    package static let meters = Unit("meters", "m")
    package static let metersPerHour = Unit("meters_per_hour", "m/h")
    package static let dimensionless = Unit("", "", aliases: ["1", "pH"])

    /// Every unit that files may name, canonical ones first.
    package static let all: [Unit] = [
        .meters, .metersPerHour, .dimensionless,
        Unit("cubic_meters_per_second", "m³/s", aliases: ["m3/s"]),
        Unit("cubic_meters", "m³", aliases: ["m3"]),
        Unit("millimeters", "mm"),
        Unit("percent", "%"),
        Unit("celsius", "℃", aliases: ["°C", "C", "Cel"]),
        Unit("meters_per_second", "m/s"),
        Unit("degrees", "°", aliases: ["deg"]),
        Unit("watts_per_square_meter", "W/m²", aliases: ["W/m2"]),
        Unit("hectopascals", "hPa"),
        Unit("milligrams_per_liter", "mg/L", aliases: ["mg/l"]),
        Unit("ntu", "NTU", aliases: ["FNU"]),
        Unit("microsiemens_per_centimeter", "µS/cm", aliases: ["uS/cm", "μS/cm"]),
        Unit("volts", "V"),
        Unit("amperes", "A"),
        Unit("hours", "h"),
        Unit("square_meters", "m²", aliases: ["m2"]),
        Unit("kilograms_per_cubic_meter", "kg/m³", aliases: ["kg/m3"]),
        Unit("kilograms", "kg"),
        Unit("tons", "t"),
        Unit("decibels", "dB"),
        Unit("dbm", "dBm"),
        Unit("centimeters", "cm", canonical: "meters", factor: 0.01),
        // 1 ft = 0.3048 m exactly (international foot).
        Unit("feet", "ft", canonical: "meters", factor: 0.3048),
        Unit("inches", "in", canonical: "millimeters", factor: 25.4),
        // 1 ft³ = 0.028316846592 m³ exactly.
        Unit(
            "cubic_feet_per_second",
            "ft³/s",
            canonical: "cubic_meters_per_second",
            factor: 0.028316846592,
            aliases: ["cfs", "ft3/s"]
        ),
        Unit("fahrenheit", "℉", canonical: "celsius", factor: 5.0 / 9.0, offset: -160.0 / 9.0, aliases: ["°F", "F"]),
        Unit("millivolts", "mV", canonical: "volts", factor: 0.001),
        // 16 points of the compass, 1 for north, 5 for east (SL 651-2014, table E.1).
        Unit("compass_points", "16方位", canonical: "degrees", factor: 22.5, offset: -22.5, aliases: ["16-point"]),
        Unit(
            "cubic_meters_per_hour",
            "m³/h",
            canonical: "cubic_meters_per_second",
            factor: 1 / 3600,
            aliases: ["m3/h"]
        ),
        Unit(
            "liters_per_second",
            "L/s",
            canonical: "cubic_meters_per_second",
            factor: 0.001,
            aliases: ["l/s"]
        ),
        Unit(
            "micrograms_per_liter",
            "µg/L",
            canonical: "milligrams_per_liter",
            factor: 0.001,
            aliases: ["ug/L", "μg/L", "ug/l"]
        ),
        Unit("ten_thousand_tons", "10⁴ t", canonical: "tons", factor: 10_000, aliases: ["1e4 t"]),
        Unit("kilopascals", "kPa", canonical: "hectopascals", factor: 10),
        Unit("pascals", "Pa", canonical: "hectopascals", factor: 0.01),
        Unit("kelvin", "K", canonical: "celsius", offset: -273.15),
        Unit("siemens_per_meter", "S/m", canonical: "microsiemens_per_centimeter", factor: 10_000),
        Unit(
            "millisiemens_per_centimeter",
            "mS/cm",
            canonical: "microsiemens_per_centimeter",
            factor: 1000
        ),
        Unit("kilometers_per_hour", "km/h", canonical: "meters_per_second", factor: 1 / 3.6),
        Unit("millimeters_per_hour", "mm/h", canonical: "meters_per_hour", factor: 0.001),
        Unit("kilometers", "km", canonical: "meters", factor: 1000),
        Unit("radians", "rad", canonical: "degrees", factor: 180 / .pi),
        Unit("ratio", "/", canonical: "percent", factor: 100),
        Unit("per_mille", "‰", canonical: "percent", factor: 0.1, aliases: ["/1000"]),
        Unit("parts_per_million", "ppm", canonical: "percent", factor: 0.0001),
        Unit("milliamperes", "mA", canonical: "amperes", factor: 0.001),
        Unit("minutes", "min", canonical: "hours", factor: 1 / 60),
        Unit("seconds", "s", canonical: "hours", factor: 1 / 3600),
        Unit("grams", "g", canonical: "kilograms", factor: 0.001),
        Unit("liters", "L", canonical: "cubic_meters", factor: 0.001, aliases: ["l"]),
        Unit("grams_per_liter", "g/L", canonical: "kilograms_per_cubic_meter", aliases: ["g/l"]),
        Unit(
            "micrograms_per_cubic_meter",
            "µg/m³",
            canonical: "milligrams_per_liter",
            factor: 1e-6,
            aliases: ["ug/m3"]
        ),
        Unit("decibel_watts", "dBW", canonical: "dbm", offset: 30),
        Unit("million_cubic_meters", "10⁶ m³", canonical: "cubic_meters", factor: 1_000_000, aliases: ["1e6 m3"]),
    ]

    /// Every unit by its suffix, its symbol and its other accepted spellings.
    package static let byName: [String: Unit] = Dictionary(
        Unit.all.flatMap { unit in ([unit.suffix, unit.symbol] + unit.aliases).map { ($0, unit) } }
    ) { first, _ in first }

    /// Finds a unit by its suffix, symbol or another accepted spelling.
    package init?(named name: String) {
        guard let unit = Unit.byName[name] else { return nil }
        self = unit
    }

    /// The canonical unit of a metric, by the longest suffix that its name carries; bare numbers have none.
    package init(ofMetric metric: String) {
        let matching = Unit.all.filter { $0.suffix == $0.canonical && !$0.suffix.isEmpty }
            .filter { metric == $0.suffix || metric.hasSuffix("_" + $0.suffix) }
        self = matching.max { $0.suffix.count < $1.suffix.count } ?? .dimensionless
    }

    package func toCanonical(_ value: Double) -> Double {
        value * self.factor + self.offset
    }

    /// Dimensions with two canonical units, and how many of the second the first is: levels and depths, the salt of rivers
    /// and of samples, the speed of wind and of a rise.
    private static let twins: [(first: String, second: String, ratio: Double)] = [
        ("meters", "millimeters", 1000), ("kilograms_per_cubic_meter", "milligrams_per_liter", 1000),
        ("meters_per_second", "meters_per_hour", 3600), ("tons", "kilograms", 1000),
    ]

    /// The unit as one of a dimension's canonical unit; nil where it measures something else.
    ///
    /// A ratio is a bare number, too.
    package func measuring(_ canonical: Unit) -> Unit? {
        if self.canonical == canonical.suffix { return self }
        var factor = self.factor
        var offset = self.offset
        if let twin = Unit.twins.first(where: { $0.first == self.canonical && $0.second == canonical.suffix }) {
            (factor, offset) = (factor * twin.ratio, offset * twin.ratio)
        } else if let twin = Unit.twins.first(where: { $0.second == self.canonical && $0.first == canonical.suffix }) {
            (factor, offset) = (factor / twin.ratio, offset / twin.ratio)
        } else if self.suffix == "ratio", canonical.suffix.isEmpty {
            factor = 1
        } else {
            return nil
        }
        return Unit(
            self.suffix,
            self.symbol,
            canonical: canonical.suffix,
            factor: factor,
            offset: offset,
            aliases: self.aliases
        )
    }

    /// A value of another unit of the same dimension in this one.
    package func value(_ value: Double, in other: Unit) -> Double {
        guard self != other else { return value }
        return (other.toCanonical(value) - self.offset) / self.factor
    }
}
