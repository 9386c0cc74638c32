// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Factors of HJ 212-2017 as channels: present values, and means and extremes of minutes, an hour, a day.
enum HJ212Channels {
    static let all: [Channel] = factors.flatMap(\.rows).map(\.channel)

    private struct Factor {
        let code: String
        /// The metric's name without its unit.
        let stem: String
        /// The suffix of the metric; none where it is empty.
        let suffix: String
        /// The unit on the wire.
        let unit: String

        init(_ code: String, _ stem: String, _ suffix: String, _ unit: String = "") {
            self.code = code
            self.stem = stem
            self.suffix = suffix
            self.unit = unit
        }

        var rows: [ChannelRow] {
            var rows = [ChannelRow("\(self.code)-Rtd", self.metric(""), self.unit)]
            for (mark, span) in [("", "minutes"), (".1h", "1h"), (".1d", "1d")] {
                for (field, word) in [("Avg", "mean"), ("Min", "minimum"), ("Max", "maximum")] {
                    let name = self.metric("_\(word)_\(span)")
                    rows.append(ChannelRow("\(self.code)-\(field)\(mark)", name, self.unit))
                }
            }
            return rows
        }

        private func metric(_ middle: String) -> String {
            self.suffix.isEmpty ? self.stem + middle : "\(self.stem)\(middle)_\(self.suffix)"
        }
    }

    private static let concentration = "milligrams_per_liter"

    private static let factors: [Factor] = [
        Factor("w00000", "discharge", "cubic_meters_per_second", "L/s"), Factor("w01001", "ph", ""),
        // 色度 is how often a sample is diluted until no colour is seen (倍).
        Factor("w01002", "color_dilution", "ratio"), Factor("w01003", "turbidity", "ntu"),
        Factor("w01006", "total_dissolved_solids", concentration),
        Factor("w01009", "dissolved_oxygen", concentration), Factor("w01010", "water_temperature", "celsius"),
        Factor("w01012", "suspended_solids", concentration),
        Factor("w01014", "conductivity", "microsiemens_per_centimeter"), Factor("w01017", "bod5", concentration),
        Factor("w01018", "cod", concentration), Factor("w01019", "permanganate_index", concentration),
        Factor("w01020", "total_organic_carbon", concentration),
        Factor("w02003", "fecal_coliforms_per_liter", "count"), Factor("w19002", "anionic_surfactants", concentration),
        Factor("w20111", "mercury", concentration, "µg/L"),
        Factor("w20115", "cadmium", concentration, "µg/L"), Factor("w20116", "chromium", concentration),
        Factor("w20117", "hexavalent_chromium", concentration, "µg/L"),
        Factor("w20119", "arsenic", concentration, "µg/L"), Factor("w20120", "lead", concentration, "µg/L"),
        Factor("w20121", "nickel", concentration), Factor("w20122", "copper", concentration),
        Factor("w20123", "zinc", concentration), Factor("w20124", "manganese", concentration),
        Factor("w20125", "iron", concentration), Factor("w20126", "silver", concentration),
        Factor("w20127", "beryllium", concentration, "µg/L"), Factor("w20128", "selenium", concentration, "µg/L"),
        Factor("w21001", "total_nitrogen", concentration),
        Factor("w21003", "ammonia_nitrogen", concentration), Factor("w21004", "kjeldahl_nitrogen", concentration),
        Factor("w21006", "nitrite", concentration),
        Factor("w21007", "nitrate", concentration), Factor("w21011", "total_phosphorus", concentration),
        Factor("w21016", "cyanide", concentration), Factor("w21017", "fluoride", concentration),
        Factor("w21019", "sulfide", concentration), Factor("w21022", "chloride", concentration),
        Factor("w21038", "sulfate", concentration),
        Factor("w22001", "petroleum", concentration), Factor("w23002", "volatile_phenol", concentration),
        Factor("a01001", "air_temperature", "celsius"), Factor("a01002", "relative_humidity", "percent"),
        Factor("a01006", "air_pressure", "hectopascals", "kPa"), Factor("a01007", "wind_speed", "meters_per_second"),
        Factor("a01008", "wind_direction", "degrees"), Factor("LA", "sound_level", "decibels"),
    ]
}
