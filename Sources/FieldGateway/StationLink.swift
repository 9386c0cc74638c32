// poyang
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import PayloadCodecs
import Telemetry

/// One connection: cuts what comes into frames, and ends itself where nothing sensible comes.
///
/// On the gateway's event loop only.
final class StationLink: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Bytes that belong to no frame: before the first frame a modem's registration, later its signs of life.
    private static let garbageLimit = (before: 128, later: 4096)
    /// Damaged frames in a row.
    private static let damagedLimit = 8
    /// Bytes that wait for the station to read them.
    private static let unreadLimit = 64 << 10

    private let core: SL651Core
    private var channel: (any NIOCore.Channel)?
    private var cutter = FrameCutter()
    private var damagedInRow = 0
    /// A frame whose check was right has come over it.
    private var hasSpoken = false
    private var frameTimer: Scheduled<Void>?
    private var idleTimer: Scheduled<Void>?
    private var unread = 0
    private(set) var peer = "?"
    private(set) var isOpen = false
    /// The station has ended its side; what it sent is answered before the connection goes.
    private var hasEnded = false
    /// Messages of this connection whose acknowledgement is awaited.
    private var awaited = 0

    init(core: SL651Core) {
        self.core = core
    }

    func channelActive(context: ChannelHandlerContext) {
        self.channel = context.channel
        self.peer = context.channel.remoteAddress.map { "\($0.ipAddress ?? "?"):\($0.port ?? 0)" } ?? "?"
        self.isOpen = true
        guard self.core.admit(self) else {
            self.close(.tooMany)
            return
        }
        self.expectFrame()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.forget()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.isOpen else { return }
        self.cutter.push(self.unwrapInboundIn(data).readableBytesView)
        let before = self.cutter.skipped
        while self.isOpen, let piece = self.cutter.next() { self.take(piece) }
        guard self.isOpen else { return }
        self.core.metrics.skippedBytes += max(0, self.cutter.skipped - before)
        let limit = self.hasSpoken ? Self.garbageLimit.later : Self.garbageLimit.before
        guard self.cutter.skipped <= limit else {
            self.close(.garbage)
            return
        }
        self.watchFrame()
    }

    private func take(_ piece: FrameCutter.Piece) {
        self.frameTimer?.cancel()
        self.frameTimer = nil
        defer { self.expectFrame() }
        switch piece {
        case .frame(let frame, let bytes):
            self.damagedInRow = 0
            self.hasSpoken = true
            self.core.take(frame, bytes, from: self)
        case .damaged(let bytes, let station, let reason):
            self.damagedInRow += 1
            self.core.takeDamaged(bytes, station: station, reason: reason, from: self)
            if self.damagedInRow >= Self.damagedLimit { self.close(.damaged) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            self.hasEnded = true
            self.endIfDone()
            return
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: What the core says

    func expectAnswer() { self.awaited += 1 }

    func settleAnswer() {
        self.awaited -= 1
        self.endIfDone()
    }

    /// Sends a frame down; a station that reads nothing is hung up on.
    func send(_ bytes: [UInt8]) {
        guard self.isOpen, let channel else { return }
        guard self.unread + bytes.count <= Self.unreadLimit else {
            self.close(.unread)
            return
        }
        self.unread += bytes.count
        let size = bytes.count
        let me = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.writeAndFlush(channel.allocator.buffer(bytes: bytes))
            .whenComplete { _ in me.value.unread -= size }
    }

    func close(_ reason: CloseReason) {
        guard self.isOpen else { return }
        self.core.noteClosed(self, reason)
        let channel = self.channel
        self.forget()
        channel?.close(promise: nil)
    }

    private func endIfDone() {
        guard self.hasEnded, self.awaited <= 0, self.isOpen, let channel else { return }
        self.forget()
        // What was written last goes out first.
        channel.writeAndFlush(channel.allocator.buffer(capacity: 0)).whenComplete { _ in channel.close(promise: nil) }
    }

    private func forget() {
        self.isOpen = false
        self.frameTimer?.cancel()
        self.idleTimer?.cancel()
        self.frameTimer = nil
        self.idleTimer = nil
        self.core.leave(self)
    }

    // MARK: Time

    /// Begins the time anew in which a frame must come; who never sent one has less of it.
    private func expectFrame() {
        self.idleTimer?.cancel()
        guard self.isOpen, let loop = self.channel?.eventLoop else { return }
        let options = self.core.options
        let span = self.hasSpoken ? options.idle : min(4 * options.frameTimeout, options.idle)
        let me = NIOLoopBound(self, eventLoop: loop)
        self.idleTimer = loop.scheduleTask(in: .milliseconds(span)) { me.value.close(.idle) }
    }

    /// A frame that has begun must come to its end; where none ever came, other bytes must be followed by one.
    private func watchFrame() {
        guard self.cutter.isInsideFrame || !self.hasSpoken && self.cutter.skipped > 0, self.frameTimer == nil,
            let loop = self.channel?.eventLoop
        else { return }
        let me = NIOLoopBound(self, eventLoop: loop)
        self.frameTimer = loop.scheduleTask(in: .milliseconds(self.core.options.frameTimeout)) {
            me.value.close(me.value.cutter.isInsideFrame ? .slow : .garbage)
        }
    }
}
