// poyang
// SPDX-License-Identifier: Apache-2.0

import CMosquitto
import Glibc
import Synchronization

/// What one thread hears from its ``MosquittoClient``, from inside the client's calls.
protocol MosquittoHandler: AnyObject {
    func connected(reason: Int32, isSessionPresent: Bool)
    /// The connection ended; `reason` is 0 when we ended it.
    func disconnected(reason: Int32)
    /// `reasons` holds one reason code per topic filter, below 128 when granted.
    func subscribed(reasons: [Int32])
    func received(_ message: borrowing MosquittoMessage)
    /// The broker acknowledged what was published under this packet id.
    func published(packetID: Int32, reason: Int32)
}

/// One message inside the callback that brought it; not valid after it.
@safe struct MosquittoMessage: ~Copyable {
    /// 0 for QoS 0.
    let packetID: UInt16
    let isRetained: Bool
    fileprivate let topicStart: UnsafePointer<CChar>
    fileprivate let topicLength: Int
    fileprivate let payloadStart: UnsafeRawPointer?
    let payloadLength: Int

    /// The topic's bytes, without the zero at their end.
    func withTopic<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        let bytes = unsafe UnsafeRawBufferPointer(start: self.topicStart, count: self.topicLength)
        return unsafe body(bytes.assumingMemoryBound(to: UInt8.self).span)
    }

    func withPayload<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        let count = unsafe self.payloadStart == nil ? 0 : self.payloadLength
        let bytes = unsafe UnsafeRawBufferPointer(start: self.payloadStart, count: count)
        return unsafe body(bytes.assumingMemoryBound(to: UInt8.self).span)
    }
}

/// One libmosquitto client, speaking MQTT 5 with acknowledgements that wait.
///
/// The only place that touches the C library. It is made for one thread, which runs its own loop:
/// `read` until the batch is full, commit, and only then `write`. `mosquitto_threaded_set` without a thread of the
/// library's own makes this possible: packets are queued and not written until ``write()``.
@safe final class MosquittoClient {
    struct Will {
        var topic: String
        var payload: [UInt8]
    }

    struct Session {
        /// Seconds for which the broker keeps the session.
        var expiry: UInt32
        var receiveMaximum: UInt16
        var keepAlive: Int
    }

    private let pointer: OpaquePointer
    private let session: Session
    private let broker: BrokerAddress
    private var wasConnected = false
    private weak let handler: (any MosquittoHandler)?

    init(
        broker: BrokerAddress,
        clientID: String,
        credentials: MQTTCredentials?,
        session: Session,
        will: Will? = nil,
        handler: any MosquittoHandler
    ) throws {
        MosquittoLibrary.initialise()
        guard let pointer = unsafe mosquitto_new(clientID, session.expiry == 0, nil) else {
            throw MQTTError(.library, "the MQTT library could not make a client named \"\(clientID)\"")
        }
        unsafe self.pointer = pointer
        self.broker = broker
        self.session = session
        self.handler = handler
        unsafe mosquitto_user_data_set(pointer, Unmanaged.passUnretained(self).toOpaque())
        unsafe mosquitto_int_option(pointer, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5)
        unsafe mosquitto_int_option(pointer, MOSQ_OPT_SEND_MAXIMUM, 65_535)
        unsafe mosquitto_threaded_set(pointer, true)
        if let credentials, !credentials.user.isEmpty {
            try Self.check(unsafe mosquitto_username_pw_set(pointer, credentials.user, credentials.password))
        }
        if broker.isSecure {
            if let file = credentials?.authorityFile {
                try Self.check(unsafe mosquitto_tls_set(pointer, file, nil, nil, nil, nil))
            } else {
                try Self.check(unsafe mosquitto_int_option(pointer, MOSQ_OPT_TLS_USE_OS_CERTS, 1))
            }
        }
        if let will {
            try Self.check(
                unsafe mosquitto_will_set(pointer, will.topic, Int32(will.payload.count), will.payload, 1, true)
            )
        }
        unsafe self.setCallbacks()
    }

    deinit {
        unsafe mosquitto_destroy(self.pointer)
    }

    /// Makes a connection, or makes it anew; what was queued and not written is thrown away unsent.
    ///
    /// Blocks until the connection stands; the broker's answer comes to the handler.
    func connect() throws {
        if self.wasConnected {
            try Self.check(unsafe mosquitto_reconnect(self.pointer), self.broker)
            return
        }
        var properties: OpaquePointer?
        defer { unsafe mosquitto_property_free_all(&properties) }
        try Self.check(
            unsafe mosquitto_property_add_int32(
                &properties,
                Int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL.rawValue),
                self.session.expiry
            )
        )
        try Self.check(
            unsafe mosquitto_property_add_int16(
                &properties,
                Int32(MQTT_PROP_RECEIVE_MAXIMUM.rawValue),
                self.session.receiveMaximum
            )
        )
        // From here on the library knows host and properties, whether or not it reaches the broker.
        self.wasConnected = true
        try Self.check(
            unsafe mosquitto_connect_bind_v5(
                self.pointer,
                self.broker.host,
                Int32(self.broker.port),
                Int32(self.session.keepAlive),
                nil,
                properties
            ),
            self.broker
        )
    }

    /// Subscribes at QoS 1; retained messages come only with a subscription that is new to the session.
    func subscribe(_ filters: [String]) throws {
        let options = Int32(MQTT_SUB_OPT_SEND_RETAIN_NEW.rawValue)
        var texts = unsafe filters.map { unsafe strdup($0) }
        defer { for index in filters.indices { unsafe free(texts[index]) } }
        try Self.check(
            unsafe mosquitto_subscribe_multiple(
                self.pointer,
                nil,
                Int32(filters.count),
                &texts,
                1,
                options,
                nil
            )
        )
    }

    /// Queues a message and gives its packet id.
    func publish(topic: String, payload: [UInt8], quality: Int32, retain: Bool) throws -> Int32 {
        var packetID: Int32 = 0
        try Self.check(
            unsafe mosquitto_publish_v5(
                self.pointer,
                &packetID,
                topic,
                Int32(payload.count),
                payload,
                quality,
                retain,
                nil
            )
        )
        return packetID
    }

    /// Queues the DISCONNECT; the next ``write()`` sends it after everything queued before.
    func disconnect() {
        _ = unsafe mosquitto_disconnect_v5(self.pointer, 0, nil)
    }

    /// Negative while there is no connection.
    var socket: Int32 { unsafe mosquitto_socket(self.pointer) }

    var wantsToWrite: Bool { unsafe mosquitto_want_write(self.pointer) }

    /// Reads one packet, or what there is of it.
    ///
    /// - Returns: False when the socket was found empty. It may say so wrongly after a message was delivered.
    func read() throws -> Bool {
        errno = 0
        try Self.check(unsafe mosquitto_loop_read(self.pointer, 1))
        return errno != EAGAIN
    }

    /// Writes queued packets, acknowledgements among them, as far as the socket takes them.
    ///
    /// The library hands each packet of four bytes to the system by itself; the system is asked to send them together.
    func write() throws {
        self.holdBack(true)
        defer { self.holdBack(false) }
        errno = 0
        try Self.check(unsafe mosquitto_loop_write(self.pointer, 1))
    }

    private func holdBack(_ isHeld: Bool) {
        var value: Int32 = isHeld ? 1 : 0
        // Where the system does not know it, packets go one by one.
        _ = unsafe setsockopt(self.socket, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Queues a ping when it is time; finds out when the broker no longer answers.
    func keepAlive() throws {
        try Self.check(unsafe mosquitto_loop_misc(self.pointer))
    }

    private static func check(_ code: Int32, _ broker: BrokerAddress? = nil) throws {
        guard code != MOSQ_ERR_SUCCESS.rawValue else { return }
        throw MQTTError(library: code, systemError: errno, broker: broker)
    }

    @unsafe private func setCallbacks() {
        unsafe mosquitto_connect_v5_callback_set(self.pointer) { _, context, reason, flags, _ in
            unsafe MosquittoClient.handler(context)?.connected(reason: reason, isSessionPresent: flags & 1 != 0)
        }
        unsafe mosquitto_disconnect_v5_callback_set(self.pointer) { _, context, reason, _ in
            unsafe MosquittoClient.handler(context)?.disconnected(reason: reason)
        }
        unsafe mosquitto_subscribe_v5_callback_set(self.pointer) { _, context, _, count, granted, _ in
            let reasons = unsafe UnsafeBufferPointer(start: granted, count: Int(count)).map(\.self)
            unsafe MosquittoClient.handler(context)?.subscribed(reasons: reasons)
        }
        unsafe mosquitto_publish_v5_callback_set(self.pointer) { _, context, packetID, reason, _ in
            unsafe MosquittoClient.handler(context)?.published(packetID: packetID, reason: reason)
        }
        unsafe mosquitto_message_callback_set(self.pointer) { _, context, message in
            guard let message = unsafe message, let topic = unsafe message.pointee.topic else { return }
            let borrowed = unsafe MosquittoMessage(
                packetID: message.pointee.qos == 0 ? 0 : UInt16(truncatingIfNeeded: message.pointee.mid),
                isRetained: message.pointee.retain,
                topicStart: topic,
                topicLength: strlen(topic),
                payloadStart: UnsafeRawPointer(message.pointee.payload),
                payloadLength: Int(message.pointee.payloadlen)
            )
            unsafe MosquittoClient.handler(context)?.received(borrowed)
        }
    }

    @unsafe private static func handler(_ context: UnsafeMutableRawPointer?) -> (any MosquittoHandler)? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<MosquittoClient>.fromOpaque(context).takeUnretainedValue().handler
    }
}

/// The library's own beginning, once in a process; it has no end, since clients may outlive each other.
private enum MosquittoLibrary {
    private static let state = Mutex(false)

    static func initialise() {
        Self.state.withLock { isDone in
            if !isDone { mosquitto_lib_init() }
            isDone = true
        }
    }
}
