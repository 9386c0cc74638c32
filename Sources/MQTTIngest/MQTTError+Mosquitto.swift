// poyang
// SPDX-License-Identifier: Apache-2.0

import CMosquitto
import Glibc

extension MQTTError {
    /// What a return code of libmosquitto means.
    ///
    /// - Parameters:
    ///   - code: One of `mosq_err_t`.
    ///   - systemError: `errno` right after the call.
    ///   - broker: Given by calls that connect.
    init(library code: Int32, systemError: Int32, broker: BrokerAddress?) {
        let place = broker.map { " \($0)" } ?? ""
        switch mosq_err_t(rawValue: code) {
        case MOSQ_ERR_CONN_LOST:
            self.init(.connectionLost, "the broker\(place) closed the connection")
        case MOSQ_ERR_NO_CONN:
            self.init(.connectionLost, "there is no connection to the broker\(place)")
        case MOSQ_ERR_KEEPALIVE:
            self.init(.connectionLost, "the broker\(place) no longer answers")
        case MOSQ_ERR_CONN_REFUSED where broker == nil:
            self.init(.refused, "the broker refused the connection; check user, password and its access rules")
        case MOSQ_ERR_EAI:
            self.init(.unreachable, "the broker's host\(place) has no known address; check the name")
        case MOSQ_ERR_ERRNO, MOSQ_ERR_CONN_REFUSED:
            let text = unsafe String(cString: strerror(systemError))
            if broker == nil {
                self.init(.connectionLost, "the connection to the broker failed: \(text)")
            } else {
                self.init(.unreachable, "the broker\(place) cannot be reached: \(text); is it running?")
            }
        case MOSQ_ERR_TLS, MOSQ_ERR_TLS_HANDSHAKE:
            self.init(
                .refused,
                "no secure connection to the broker\(place): check its certificate, its name, and the authority file"
            )
        case MOSQ_ERR_PROTOCOL, MOSQ_ERR_MALFORMED_PACKET:
            self.init(
                .protocolViolation,
                "the broker\(place) did not keep to MQTT 5, or closed the session with an error"
            )
        default:
            let text = unsafe String(cString: mosquitto_strerror(code))
            self.init(.library, "MQTT library: \(text) (\(code))")
        }
    }

    /// What a reason code in CONNACK, DISCONNECT or SUBACK means.
    static func reasonText(_ code: Int32) -> String {
        let text = unsafe String(cString: mosquitto_reason_string(code))
        return "\(text) (\(code))"
    }
}
