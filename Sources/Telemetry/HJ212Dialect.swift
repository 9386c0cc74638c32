// poyang
// SPDX-License-Identifier: Apache-2.0

/// In what a model's packets of HJ 212 differ from the standard, or what the standard leaves open.
package struct HJ212Dialect: Hashable, Sendable {
    /// Whether the CRC-16/MODBUS, which some firmware sends, is taken beside the standard's own.
    package var takesModbusCheck: Bool
    /// How long the intervals of minute data (2051) are; ten minutes where nobody has set it.
    package var minuteInterval: Milliseconds

    package init(takesModbusCheck: Bool = false, minuteInterval: Milliseconds = 10 * .minute) {
        self.takesModbusCheck = takesModbusCheck
        self.minuteInterval = minuteInterval
    }
}
