// poyang
// SPDX-License-Identifier: Apache-2.0

/// One line of table C.1 of SL 651-2014: an identifier, its symbol, and how its data is written.
package struct SL651Element: Hashable, Sendable {
    /// How the bytes behind the definition byte are read.
    package enum Form: Hashable, Sendable {
        /// Packed decimal digits; the definition byte says how many bytes and where the point stands.
        case decimal
        /// Hours and minutes as HH.mm; given in hours.
        case clockHours
        /// A decimal in which 444 says "closed" (0), and 555, 888, 999 are states without a height.
        case gateHeight
        /// A decimal in which 444 says that the well is dry.
        case depthToWater
        /// Twelve unsigned bytes of 0.1 mm, FF where there is none: the rain of twelve five-minute intervals.
        case rainSteps
        /// Twelve unsigned byte pairs of 0.01 m, FFFF where there is none: levels above a base, five minutes apart.
        case levelSteps
        /// 32 bits (table 58).
        case state
        /// Days, hours, minutes in one packed decimal byte each: the step of the values that follow.
        case step
    }

    /// The identifier byte (标识符引导符).
    package let id: UInt8
    /// The identifier in ASCII frames, and the key of the readings.
    ///
    /// At most 15 bytes, so that it needs no memory.
    package let symbol: String
    /// The unit of the value that the codec gives; empty for a bare number.
    package let unit: String
    /// Digits without the point, and those behind it, as the standard writes N(digits, decimals); what a frame's own
    /// definition byte says counts.
    package let digits: Int
    package let decimals: Int
    package let form: Form
    /// The measurand in the standard's words.
    package let name: String

    private init(
        _ id: UInt8,
        _ symbol: String,
        _ unit: String,
        _ digits: Int,
        _ decimals: Int,
        _ name: String,
        form: Form = .decimal
    ) {
        self.id = id
        self.symbol = symbol
        self.unit = unit
        self.digits = digits
        self.decimals = decimals
        self.name = name
        self.form = form
    }

    /// Table C.1 without its markers F0–F3 and FD, which are no values.
    ///
    /// The water content of soil (10–17) is by mass (E.7.1.2), not by volume.
    package static let all: [SL651Element] = [
        SL651Element(0xF4, "DRP", "mm", 3, 1, "1小时内每5分钟时段雨量", form: .rainSteps),
        SL651Element(0xF5, "DRZ1", "m", 5, 2, "1小时内5分钟间隔相对水位1", form: .levelSteps),
        SL651Element(0xF6, "DRZ2", "m", 5, 2, "1小时内5分钟间隔相对水位2", form: .levelSteps),
        SL651Element(0xF7, "DRZ3", "m", 5, 2, "1小时内5分钟间隔相对水位3", form: .levelSteps),
        SL651Element(0xF8, "DRZ4", "m", 5, 2, "1小时内5分钟间隔相对水位4", form: .levelSteps),
        SL651Element(0xF9, "DRZ5", "m", 5, 2, "1小时内5分钟间隔相对水位5", form: .levelSteps),
        SL651Element(0xFA, "DRZ6", "m", 5, 2, "1小时内5分钟间隔相对水位6", form: .levelSteps),
        SL651Element(0xFB, "DRZ7", "m", 5, 2, "1小时内5分钟间隔相对水位7", form: .levelSteps),
        SL651Element(0xFC, "DRZ8", "m", 5, 2, "1小时内5分钟间隔相对水位8", form: .levelSteps),
        SL651Element(0x01, "AC", "m²", 8, 2, "断面面积"),
        SL651Element(0x02, "AI", "℃", 3, 1, "瞬时气温"),
        SL651Element(0x03, "C", "℃", 3, 1, "瞬时水温"),
        SL651Element(0x04, "DRxnn", "", 3, 0, "时间步长码", form: .step),
        SL651Element(0x05, "DT", "h", 4, 2, "时段长，降水、引排水、抽水历时", form: .clockHours),
        SL651Element(0x06, "ED", "mm", 5, 1, "日蒸发量"),
        SL651Element(0x07, "EJ", "mm", 5, 1, "当前蒸发"),
        SL651Element(0x08, "FL", "hPa", 5, 0, "气压"),
        SL651Element(0x09, "GH", "m", 5, 2, "闸坝、水库闸门开启高度", form: .gateHeight),
        SL651Element(0x0A, "GN", "", 3, 0, "输水设备、闸门（组）编号"),
        SL651Element(0x0B, "GS", "", 1, 0, "输水设备类别"),
        SL651Element(0x0C, "GT", "", 3, 0, "水库、闸坝闸门开启孔数"),
        SL651Element(0x0D, "GTP", "℃", 3, 1, "地温"),
        SL651Element(0x0E, "H", "m", 6, 2, "地下水瞬时埋深", form: .depthToWater),
        SL651Element(0x0F, "HW", "m", 5, 2, "波浪高度"),
        SL651Element(0x10, "M10", "%", 4, 1, "10厘米处土壤含水量"),
        SL651Element(0x11, "M20", "%", 4, 1, "20厘米处土壤含水量"),
        SL651Element(0x12, "M30", "%", 4, 1, "30厘米处土壤含水量"),
        SL651Element(0x13, "M40", "%", 4, 1, "40厘米处土壤含水量"),
        SL651Element(0x14, "M50", "%", 4, 1, "50厘米处土壤含水量"),
        SL651Element(0x15, "M60", "%", 4, 1, "60厘米处土壤含水量"),
        SL651Element(0x16, "M80", "%", 4, 1, "80厘米处土壤含水量"),
        SL651Element(0x17, "M100", "%", 4, 1, "100厘米处土壤含水量"),
        SL651Element(0x18, "MST", "%", 4, 1, "湿度"),
        SL651Element(0x19, "NS", "", 2, 0, "开机台数"),
        SL651Element(0x1A, "P1", "mm", 5, 1, "1小时时段降水量"),
        SL651Element(0x1B, "P2", "mm", 5, 1, "2小时时段降水量"),
        SL651Element(0x1C, "P3", "mm", 5, 1, "3小时时段降水量"),
        SL651Element(0x1D, "P6", "mm", 5, 1, "6小时时段降水量"),
        SL651Element(0x1E, "P12", "mm", 5, 1, "12小时时段降水量"),
        SL651Element(0x1F, "PD", "mm", 5, 1, "日降水量"),
        SL651Element(0x20, "PJ", "mm", 5, 1, "当前降水量"),
        SL651Element(0x21, "PN01", "mm", 5, 1, "1分钟时段降水量"),
        SL651Element(0x22, "PN05", "mm", 5, 1, "5分钟时段降水量"),
        SL651Element(0x23, "PN10", "mm", 5, 1, "10分钟时段降水量"),
        SL651Element(0x24, "PN30", "mm", 5, 1, "30分钟时段降水量"),
        SL651Element(0x25, "PR", "mm", 5, 1, "暴雨量"),
        SL651Element(0x26, "PT", "mm", 6, 1, "降水量累计值"),
        SL651Element(0x27, "Q", "m³/s", 9, 3, "瞬时流量、抽水流量"),
        SL651Element(0x28, "Q1", "m³/s", 9, 3, "取（排）水口流量1"),
        SL651Element(0x29, "Q2", "m³/s", 9, 3, "取（排）水口流量2"),
        SL651Element(0x2A, "Q3", "m³/s", 9, 3, "取（排）水口流量3"),
        SL651Element(0x2B, "Q4", "m³/s", 9, 3, "取（排）水口流量4"),
        SL651Element(0x2C, "Q5", "m³/s", 9, 3, "取（排）水口流量5"),
        SL651Element(0x2D, "Q6", "m³/s", 9, 3, "取（排）水口流量6"),
        SL651Element(0x2E, "Q7", "m³/s", 9, 3, "取（排）水口流量7"),
        SL651Element(0x2F, "Q8", "m³/s", 9, 3, "取（排）水口流量8"),
        SL651Element(0x30, "QA", "m³/s", 9, 3, "总出库流量、过闸总流量"),
        SL651Element(0x31, "QZ", "m³/s", 9, 3, "输水设备流量、过闸（组）流量"),
        SL651Element(0x32, "SW", "10⁴ t", 11, 3, "输沙量"),
        SL651Element(0x33, "UC", "", 2, 0, "风向（十六方位，1为北，5为东）"),
        SL651Element(0x34, "UE", "", 2, 0, "风力（级）"),
        SL651Element(0x35, "US", "m/s", 4, 1, "风速"),
        SL651Element(0x36, "VA", "m/s", 5, 3, "断面平均流速"),
        SL651Element(0x37, "VJ", "m/s", 5, 3, "当前瞬时流速"),
        SL651Element(0x38, "VT", "V", 4, 2, "电源电压"),
        SL651Element(0x39, "Z", "m", 7, 3, "瞬时河道水位、潮位"),
        SL651Element(0x3A, "ZB", "m", 7, 3, "库（闸、站）下水位"),
        SL651Element(0x3B, "ZU", "m", 7, 3, "库（闸、站）上水位"),
        SL651Element(0x3C, "Z1", "m", 7, 3, "取（排）水口水位1"),
        SL651Element(0x3D, "Z2", "m", 7, 3, "取（排）水口水位2"),
        SL651Element(0x3E, "Z3", "m", 7, 3, "取（排）水口水位3"),
        SL651Element(0x3F, "Z4", "m", 7, 3, "取（排）水口水位4"),
        SL651Element(0x40, "Z5", "m", 7, 3, "取（排）水口水位5"),
        SL651Element(0x41, "Z6", "m", 7, 3, "取（排）水口水位6"),
        SL651Element(0x42, "Z7", "m", 7, 3, "取（排）水口水位7"),
        SL651Element(0x43, "Z8", "m", 7, 3, "取（排）水口水位8"),
        SL651Element(0x44, "SQ", "kg/m³", 9, 3, "含沙量"),
        SL651Element(0x45, "ZT", "", 8, 0, "遥测站状态及报警信息", form: .state),
        SL651Element(0x46, "pH", "", 4, 2, "pH值"),
        SL651Element(0x47, "DO", "mg/L", 4, 1, "溶解氧"),
        SL651Element(0x48, "COND", "µS/cm", 5, 0, "电导率"),
        SL651Element(0x49, "TURB", "NTU", 3, 0, "浊度"),
        SL651Element(0x4A, "CODMN", "mg/L", 4, 1, "高锰酸盐指数"),
        SL651Element(0x4B, "REDOX", "mV", 5, 1, "氧化还原电位"),
        SL651Element(0x4C, "NH4N", "mg/L", 6, 2, "氨氮"),
        SL651Element(0x4D, "TP", "mg/L", 5, 3, "总磷"),
        SL651Element(0x4E, "TN", "mg/L", 5, 2, "总氮"),
        SL651Element(0x4F, "TOC", "mg/L", 4, 2, "总有机碳"),
        SL651Element(0x50, "CU", "mg/L", 7, 4, "铜"),
        SL651Element(0x51, "ZN", "mg/L", 6, 4, "锌"),
        SL651Element(0x52, "SE", "mg/L", 7, 5, "硒"),
        SL651Element(0x53, "AS", "mg/L", 7, 5, "砷"),
        SL651Element(0x54, "THG", "mg/L", 7, 5, "总汞"),
        SL651Element(0x55, "CD", "mg/L", 7, 5, "镉"),
        SL651Element(0x56, "PB", "mg/L", 7, 5, "铅"),
        SL651Element(0x57, "CHLA", "mg/L", 4, 2, "叶绿素a"),
        SL651Element(0x58, "WP1", "kPa", 5, 2, "水压1"),
        SL651Element(0x59, "WP2", "kPa", 5, 2, "水压2"),
        SL651Element(0x5A, "WP3", "kPa", 5, 2, "水压3"),
        SL651Element(0x5B, "WP4", "kPa", 5, 2, "水压4"),
        SL651Element(0x5C, "WP5", "kPa", 5, 2, "水压5"),
        SL651Element(0x5D, "WP6", "kPa", 5, 2, "水压6"),
        SL651Element(0x5E, "WP7", "kPa", 5, 2, "水压7"),
        SL651Element(0x5F, "WP8", "kPa", 5, 2, "水压8"),
        SL651Element(0x60, "SYL1", "m³", 11, 3, "水表1剩余水量"),
        SL651Element(0x61, "SYL2", "m³", 11, 3, "水表2剩余水量"),
        SL651Element(0x62, "SYL3", "m³", 11, 3, "水表3剩余水量"),
        SL651Element(0x63, "SYL4", "m³", 11, 3, "水表4剩余水量"),
        SL651Element(0x64, "SYL5", "m³", 11, 3, "水表5剩余水量"),
        SL651Element(0x65, "SYL6", "m³", 11, 3, "水表6剩余水量"),
        SL651Element(0x66, "SYL7", "m³", 11, 3, "水表7剩余水量"),
        SL651Element(0x67, "SYL8", "m³", 11, 3, "水表8剩余水量"),
        SL651Element(0x68, "SBL1", "m³/h", 10, 2, "水表1每小时水量"),
        SL651Element(0x69, "SBL2", "m³/h", 10, 2, "水表2每小时水量"),
        SL651Element(0x6A, "SBL3", "m³/h", 10, 2, "水表3每小时水量"),
        SL651Element(0x6B, "SBL4", "m³/h", 10, 2, "水表4每小时水量"),
        SL651Element(0x6C, "SBL5", "m³/h", 10, 2, "水表5每小时水量"),
        SL651Element(0x6D, "SBL6", "m³/h", 10, 2, "水表6每小时水量"),
        SL651Element(0x6E, "SBL7", "m³/h", 10, 2, "水表7每小时水量"),
        SL651Element(0x6F, "SBL8", "m³/h", 10, 2, "水表8每小时水量"),
        SL651Element(0x70, "VTA", "V", 4, 1, "交流A相电压"),
        SL651Element(0x71, "VTB", "V", 4, 1, "交流B相电压"),
        SL651Element(0x72, "VTC", "V", 4, 1, "交流C相电压"),
        SL651Element(0x73, "VIA", "A", 4, 1, "交流A相电流"),
        SL651Element(0x74, "VIB", "A", 4, 1, "交流B相电流"),
        SL651Element(0x75, "VIC", "A", 4, 1, "交流C相电流"),
    ]
}

/// What each bit of the element ZT (table 58) is called as a reading, 1 where the name is true.
enum SL651State {
    /// Bit 0 first; a bit that says the opposite of its name is turned over.
    static let bits: [(key: String, isInverted: Bool)] = [
        ("ZT.mains", true), ("ZT.battery_low", false), ("ZT.level_alarm", false), ("ZT.flow_alarm", false),
        ("ZT.wq_alarm", false), ("ZT.flow_fault", false), ("ZT.level_fault", false), ("ZT.door_open", true),
        ("ZT.store_fault", false), ("ZT.ic_card", false), ("ZT.pump", true), ("ZT.water_used", false),
    ]
}
