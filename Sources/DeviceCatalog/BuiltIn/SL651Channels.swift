// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The elements of SL 651-2014 (table C.1) as channels.
///
/// A site has one source of rain: the counter PT, which every report with rain holds. The other figures of rain, of five
/// minutes (DRP, PN05), of hours, of the day (PJ, PD), are kept under names of their own, so that nothing is counted
/// twice. Levels above a base (DRZ) are no levels of the site's datum. The water content of soil is by mass (E.7.1.2).
enum SL651Channels {
    static let all: [Channel] = rows.map(\.channel)

    private static let rows: [ChannelRow] =
        plain + soil + rain + numbered + states + quality

    private static let plain: [ChannelRow] = [
        ChannelRow("AC", "flow_area_square_meters"), ChannelRow("AI", "air_temperature_celsius"),
        ChannelRow("C", "water_temperature_celsius"), ChannelRow("DT", "event_duration_hours"),
        ChannelRow("ED", "evaporation_day_millimeters"), ChannelRow("EJ", "evaporation_today_millimeters"),
        ChannelRow("FL", "air_pressure_hectopascals"), ChannelRow("GH", "gate_opening_meters"),
        ChannelRow("GN", "gate_number_state"), ChannelRow("GS", "gate_kind_state"),
        ChannelRow("GT", "gates_open_count"), ChannelRow("GTP", "soil_temperature_celsius"),
        ChannelRow("H", "groundwater_depth_meters"), ChannelRow("HW", "wave_height_meters"),
        ChannelRow("MST", "relative_humidity_percent"), ChannelRow("NS", "pumps_running_count"),
        ChannelRow("Q", "discharge_cubic_meters_per_second"), ChannelRow("QA", "outflow_cubic_meters_per_second"),
        ChannelRow("QZ", "gate_discharge_cubic_meters_per_second"), ChannelRow("SW", "sediment_load_tons", "10⁴ t"),
        ChannelRow("UC", "wind_direction_degrees", "16方位", bounds: 1...16), ChannelRow("UE", "wind_force_state"),
        ChannelRow("US", "wind_speed_meters_per_second"), ChannelRow("VA", "mean_velocity_meters_per_second"),
        ChannelRow("VJ", "velocity_meters_per_second"), ChannelRow("VT", "battery_volts"),
        ChannelRow("Z", "water_level_meters"), ChannelRow("ZB", "tailwater_level_meters"),
        ChannelRow("ZU", "water_level_meters", "", ("position", "upstream")),
        ChannelRow("SQ", "sediment_concentration_kilograms_per_cubic_meter"),
        ChannelRow("VTA", "mains_volts", "", ("position", "A")),
        ChannelRow("VTB", "mains_volts", "", ("position", "B")),
        ChannelRow("VTC", "mains_volts", "", ("position", "C")),
        ChannelRow("VIA", "mains_amperes", "", ("position", "A")),
        ChannelRow("VIB", "mains_amperes", "", ("position", "B")),
        ChannelRow("VIC", "mains_amperes", "", ("position", "C")),
    ]

    private static let soil: [ChannelRow] = [10, 20, 30, 40, 50, 60, 80, 100]
        .map { depth in
            ChannelRow("M\(depth)", "soil_water_by_mass_percent", "", ("depth", "\(depth)cm"))
        }

    private static let rain: [ChannelRow] = [
        ChannelRow("PT", "rainfall_accumulated_millimeters"), ChannelRow("PJ", "rainfall_today_millimeters"),
        ChannelRow("PD", "rainfall_day_millimeters"), ChannelRow("PR", "rainfall_storm_millimeters"),
        ChannelRow("DRP", "rainfall_step_millimeters"), ChannelRow("PN01", "rainfall_1min_millimeters"),
        ChannelRow("PN05", "rainfall_5min_millimeters"), ChannelRow("PN10", "rainfall_10min_millimeters"),
        ChannelRow("PN30", "rainfall_30min_millimeters"), ChannelRow("P1", "rainfall_1h_millimeters"),
        ChannelRow("P2", "rainfall_2h_millimeters"), ChannelRow("P3", "rainfall_3h_millimeters"),
        ChannelRow("P6", "rainfall_6h_millimeters"), ChannelRow("P12", "rainfall_12h_millimeters"),
    ]

    private static let numbered: [ChannelRow] =
        (1...8)
        .flatMap { number -> [ChannelRow] in
            let position = ("position", "\(number)")
            return [
                ChannelRow("DRZ\(number)", "relative_level_meters", "", position),
                ChannelRow("Z\(number)", "intake_level_meters", "", position),
                ChannelRow("Q\(number)", "intake_discharge_cubic_meters_per_second", "", position),
                ChannelRow("WP\(number)", "water_pressure_hectopascals", "kPa", position),
                ChannelRow("SYL\(number)", "water_credit_cubic_meters", "", position),
                ChannelRow("SBL\(number)", "meter_flow_cubic_meters_per_second", "m³/h", position),
                ChannelRow("PUMP.\(number)", "pump_running", "", position),
                ChannelRow("VALVE.\(number)", "valve_open", "", position),
            ]
        }
        + (1...16)
        .flatMap { number -> [ChannelRow] in
            let position = ("position", "\(number)")
            return [
                ChannelRow("GH.\(number)", "gate_opening_meters", "", position),
                ChannelRow("GT.\(number)", "gates_open_count", "", position),
                ChannelRow("QZ.\(number)", "gate_discharge_cubic_meters_per_second", "", position),
                ChannelRow("GATE.\(number)", "gate_open", "", position),
            ]
        }

    /// Table 58.
    ///
    /// A station without pumps says "running", too: the bit is 0.
    private static let states: [ChannelRow] = [
        ChannelRow("ZT.mains", "mains_power"), ChannelRow("ZT.battery_low", "battery_low_state"),
        ChannelRow("ZT.level_alarm", "level_alarm_state"), ChannelRow("ZT.flow_alarm", "flow_alarm_state"),
        ChannelRow("ZT.wq_alarm", "water_quality_alarm_state"), ChannelRow("ZT.flow_fault", "flow_meter_fault_state"),
        ChannelRow("ZT.level_fault", "level_gauge_fault_state"), ChannelRow("ZT.door_open", "door_open"),
        ChannelRow("ZT.store_fault", "memory_fault_state"), ChannelRow("ZT.ic_card", "ic_card_state"),
        ChannelRow("ZT.pump", "station_pump_state"), ChannelRow("ZT.water_used", "water_credit_used_state"),
    ]

    private static let quality: [ChannelRow] = [
        ChannelRow("pH", "ph"), ChannelRow("DO", "dissolved_oxygen_milligrams_per_liter"),
        ChannelRow("COND", "conductivity_microsiemens_per_centimeter"), ChannelRow("TURB", "turbidity_ntu"),
        ChannelRow("CODMN", "permanganate_index_milligrams_per_liter"), ChannelRow("REDOX", "redox_volts", "mV"),
        ChannelRow("NH4N", "ammonia_nitrogen_milligrams_per_liter"),
        ChannelRow("TP", "total_phosphorus_milligrams_per_liter"),
        ChannelRow("TN", "total_nitrogen_milligrams_per_liter"),
        ChannelRow("TOC", "total_organic_carbon_milligrams_per_liter"), ChannelRow("CU", "copper_milligrams_per_liter"),
        ChannelRow("ZN", "zinc_milligrams_per_liter"), ChannelRow("SE", "selenium_milligrams_per_liter"),
        ChannelRow("AS", "arsenic_milligrams_per_liter"), ChannelRow("THG", "mercury_milligrams_per_liter"),
        ChannelRow("CD", "cadmium_milligrams_per_liter"), ChannelRow("PB", "lead_milligrams_per_liter"),
        ChannelRow("CHLA", "chlorophyll_milligrams_per_liter"),
    ]
}
