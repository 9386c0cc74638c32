// poyang
// SPDX-License-Identifier: Apache-2.0

import CMosquitto

/// What a subscriber costs that does nothing: libmosquitto's plain loop, a callback that counts.
///
/// The measure beside which ingest is put. It acknowledges before it counts, as the plain loop does.
final class DiscardingClient {
    private let pointer: OpaquePointer
    private(set) var messages = 0
    private(set) var isSubscribed = false

    /// Connects to a broker on the loopback and subscribes at QoS 1, or at `quality`.
    ///
    /// - Returns: `nil` when there is no such broker.
    init?(port: UInt16, filter: String, quality: Int32 = 1) {
        mosquitto_lib_init()
        guard let pointer = mosquitto_new("poyang-bench-discard", true, nil) else { return nil }
        self.pointer = pointer
        mosquitto_user_data_set(pointer, Unmanaged.passUnretained(self).toOpaque())
        mosquitto_int_option(pointer, MOSQ_OPT_RECEIVE_MAXIMUM, 20_000)
        mosquitto_message_callback_set(pointer) { _, context, _ in
            guard let context else { return }
            Unmanaged<DiscardingClient>.fromOpaque(context).takeUnretainedValue().messages += 1
        }
        mosquitto_subscribe_callback_set(pointer) { _, context, _, _, _ in
            guard let context else { return }
            Unmanaged<DiscardingClient>.fromOpaque(context).takeUnretainedValue().isSubscribed = true
        }
        guard mosquitto_connect(pointer, "127.0.0.1", Int32(port), 60) == MOSQ_ERR_SUCCESS.rawValue,
            mosquitto_subscribe(pointer, nil, filter, quality) == MOSQ_ERR_SUCCESS.rawValue
        else { return nil }
        while !self.isSubscribed {
            guard mosquitto_loop(pointer, 1000, 1) == MOSQ_ERR_SUCCESS.rawValue else { return nil }
        }
    }

    deinit {
        mosquitto_destroy(self.pointer)
    }

    /// Runs the plain loop until so many messages have come, or the connection ends.
    func run(until count: Int) {
        while self.messages < count {
            guard mosquitto_loop(self.pointer, 1000, 1) == MOSQ_ERR_SUCCESS.rawValue else { return }
        }
    }
}
