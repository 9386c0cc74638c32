// poyang
// SPDX-License-Identifier: Apache-2.0

package import HummingbirdCore
package import NIOCore
import Synchronization

/// Sees that a client closes its connection while its request is worked on; one for each connection, which may go on
/// serving requests.
///
/// A client that has closed its side, be it only that of sending, is taken to await no answer.
package final class ConnectionWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    /// What is read goes by unseen.
    package typealias InboundIn = NIOAny

    private struct State {
        var isClosed = false
        var onClose: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// A server whose connections are watched.
    package static var server: HTTPServerBuilder {
        .http1(configuration: HTTP1Channel.Configuration(additionalChannelHandlers: [ConnectionWatch()]))
    }

    /// Runs `work`, and calls `onClose` at once where the client of `channel` closes it meanwhile or has closed it.
    static func during<Value>(
        _ channel: any Channel,
        onClose: @escaping @Sendable () -> Void,
        _ work: () async throws -> Value
    ) async throws -> Value {
        let watch = try await channel.pipeline.handler(type: ConnectionWatch.self).get()
        watch.call(onClose)
        // A connection has one request at a time.
        defer { watch.call(nil) }
        return try await work()
    }

    private func call(_ onClose: (@Sendable () -> Void)?) {
        let isClosed = self.state.withLock { state in
            state.onClose = onClose
            return state.isClosed
        }
        if isClosed { onClose?() }
    }

    private func close() {
        let onClose = self.state.withLock { state in
            state.isClosed = true
            return state.onClose.take()
        }
        onClose?()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { self.close() }
        context.fireUserInboundEventTriggered(event)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        self.close()
        context.fireChannelInactive()
    }
}
