// poyang
// SPDX-License-Identifier: Apache-2.0

/// A measurand of HJ 212 by its code (HJ 525-2009 for water, HJ 524-2009 for air).
package struct HJ212Factor: Hashable, Sendable {
    /// `w01018`; part of the readings' keys: `w01018-Rtd`.
    package let code: String
    /// The number that HJ/T 212-2005 had for it, which older stations still send; empty where it had none.
    package let formerCode: String
    /// The unit that the standard gives its values.
    package let unit: String
    package let name: String

    private init(_ code: String, _ formerCode: String, _ unit: String, _ name: String) {
        self.code = code
        self.formerCode = formerCode
        self.unit = unit
        self.name = name
    }

    /// Water, and what weather and noise stations send.
    ///
    /// Heavy metals are in µg/L where the standard's table says so.
    package static let all: [HJ212Factor] = [
        HJ212Factor("w00000", "B01", "L/s", "污水（流量）"),
        HJ212Factor("w01001", "001", "", "pH值"),
        HJ212Factor("w01002", "002", "", "色度"),
        HJ212Factor("w01003", "", "NTU", "浑浊度"),
        HJ212Factor("w01006", "", "mg/L", "溶解性总固体"),
        HJ212Factor("w01009", "", "mg/L", "溶解氧"),
        HJ212Factor("w01010", "", "℃", "水温"),
        HJ212Factor("w01012", "003", "mg/L", "悬浮物"),
        HJ212Factor("w01014", "", "µS/cm", "电导率"),
        HJ212Factor("w01017", "010", "mg/L", "五日生化需氧量"),
        HJ212Factor("w01018", "011", "mg/L", "化学需氧量"),
        HJ212Factor("w01019", "", "mg/L", "高锰酸盐指数"),
        HJ212Factor("w01020", "015", "mg/L", "总有机碳"),
        HJ212Factor("w02003", "550", "1/L", "粪大肠菌群"),
        HJ212Factor("w19002", "520", "mg/L", "阴离子表面活性剂"),
        HJ212Factor("w20111", "020", "µg/L", "总汞"),
        HJ212Factor("w20115", "022", "µg/L", "总镉"),
        HJ212Factor("w20116", "023", "mg/L", "总铬"),
        HJ212Factor("w20117", "024", "µg/L", "六价铬"),
        HJ212Factor("w20119", "026", "µg/L", "总砷"),
        HJ212Factor("w20120", "027", "µg/L", "总铅"),
        HJ212Factor("w20121", "028", "mg/L", "总镍"),
        HJ212Factor("w20122", "029", "mg/L", "总铜"),
        HJ212Factor("w20123", "030", "mg/L", "总锌"),
        HJ212Factor("w20124", "031", "mg/L", "总锰"),
        HJ212Factor("w20125", "032", "mg/L", "总铁"),
        HJ212Factor("w20126", "033", "mg/L", "总银"),
        HJ212Factor("w20127", "034", "µg/L", "总铍"),
        HJ212Factor("w20128", "035", "µg/L", "总硒"),
        HJ212Factor("w21001", "065", "mg/L", "总氮"),
        HJ212Factor("w21003", "060", "mg/L", "氨氮"),
        HJ212Factor("w21004", "062", "mg/L", "凯氏氮"),
        HJ212Factor("w21006", "063", "mg/L", "亚硝酸盐"),
        HJ212Factor("w21007", "064", "mg/L", "硝酸盐"),
        HJ212Factor("w21011", "101", "mg/L", "总磷"),
        HJ212Factor("w21016", "070", "mg/L", "氰化物"),
        HJ212Factor("w21017", "072", "mg/L", "氟化物"),
        HJ212Factor("w21019", "071", "mg/L", "硫化物"),
        HJ212Factor("w21022", "090", "mg/L", "氯化物"),
        HJ212Factor("w21038", "", "mg/L", "硫酸盐"),
        HJ212Factor("w22001", "080", "mg/L", "石油类"),
        HJ212Factor("w23002", "110", "mg/L", "挥发酚"),
        HJ212Factor("a01001", "", "℃", "温度"),
        HJ212Factor("a01002", "", "%", "湿度"),
        HJ212Factor("a01006", "", "kPa", "气压"),
        HJ212Factor("a01007", "", "m/s", "风速"),
        HJ212Factor("a01008", "", "°", "风向"),
        HJ212Factor("LA", "", "dB", "A权声级"),
    ]
}
