// poyang
// SPDX-License-Identifier: Apache-2.0

/// Payloads of network servers, gateways and SenML senders, of their usual length; each number gives another.
enum NetworkPayloads {
    static func senML(_ number: Int) -> [UInt8] {
        Array(
            (#"[{"bn":"urn:dev:ow:10e2073a0108\#(1000 + number):","bt":1.276020076e+09,"n":"level","u":"m","v":\#(number).25},"#
                + #"{"n":"temperature","u":"Cel","v":21.5},{"n":"battery","u":"V","v":3.62},{"n":"level","t":-300,"v":\#(number).5}]"#)
                .utf8
        )
    }

    static func chirpStack(_ number: Int) -> [UInt8] {
        let eui = "a84041000181\(1000 + number)"
        return Array(
            (#"{"deduplicationId":"3ac7e3c4-4401-4b8d-9386-a5c902f9\#(1000 + number)","time":"2022-07-18T09:34:15.775023242+00:00","#
                + #""deviceInfo":{"tenantId":"52f14cd4-c6f1-4fbd-8f87-4025e1d49242","tenantName":"ChirpStack","#
                + #""applicationId":"17c82e96-be03-4f38-aef3-f83d48582d97","applicationName":"soil","#
                + #""deviceProfileId":"14855bf7-d10d-4aee-b618-ebfcb64dc7ad","deviceProfileName":"lse01","#
                + #""deviceName":"probe \#(number)","devEui":"\#(eui)","tags":{"org":"coop"}},"devAddr":"00189440","adr":true,"dr":5,"#
                + #""fCnt":\#(number),"fPort":2,"data":"DPwAAAJVDB4AABA=","object":{"water":21.4,"temp":"13.25","conduct":120},"#
                + #""rxInfo":[{"gatewayId":"0016c001f153a14c","uplinkId":4217106255,"rssi":-\#(40 + number % 80),"snr":7.5,"#
                + #""context":"E3OWOQ==","metadata":{"region_name":"cn470"}}],"#
                + #""txInfo":{"frequency":867100000,"modulation":{"lora":{"bandwidth":125000,"spreadingFactor":11}}}}"#)
                .utf8
        )
    }

    static func thingsStack(_ number: Int) -> [UInt8] {
        Array(
            (#"{"end_device_ids":{"device_id":"probe-\#(number)","application_ids":{"application_id":"soil"},"#
                + #""dev_eui":"A84041000181\#(1000 + number)","join_eui":"800000000000000C","dev_addr":"00BCB929"},"#
                + #""correlation_ids":["as:up:01E0WZGT6Y7657CPFPE5WEYDSQ"],"received_at":"2020-02-12T15:15:46.014773143Z","#
                + #""uplink_message":{"session_key_id":"AXA50tHUGUucuzS/bCGMNw==","f_port":2,"f_cnt":\#(number),"#
                + #""frm_payload":"DPwAAAJVDB4AABA=","decoded_payload":{"water":21.4,"temp":13.25,"conduct":120},"#
                + #""rx_metadata":[{"gateway_ids":{"gateway_id":"gtw1","eui":"9C5C8E00001A05C4"},"#
                + #""time":"2020-02-12T15:15:45.787Z","timestamp":2463457000,"rssi":-\#(40 + number % 80),"snr":5}],"#
                + #""settings":{"data_rate":{"lora":{"bandwidth":125000,"spreading_factor":7}},"frequency":"868300000"},"#
                + #""received_at":"2020-02-12T15:15:45.789585559Z"}}"#)
                .utf8
        )
    }

    static func gateway(_ number: Int) -> [UInt8] {
        let values = #"{"level":\#(number).25,"battery":3.62,"temperature":21.5}"#
        return Array(
            (#"{"Gauge \#(number)":[{"ts":1655802960000,"values":\#(values)}],"#
                + #""Gauge \#(number + 1)":[{"ts":1655802960000,"values":\#(values)}]}"#)
                .utf8
        )
    }
}
