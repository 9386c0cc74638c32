// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
package import HummingbirdCore
import NIOCore
import Synchronization

/// The connections of one server.
package final class OpenConnections: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])
    private let idleTimeout: TimeAmount

    /// - Parameter idleTimeout: So long a connection stays on which nothing comes while we wait for a request or the rest of one.
    package init(idleTimeout: Duration = .seconds(120)) { self.idleTimeout = TimeAmount(idleTimeout) }

    /// A server that speaks HTTP/1.1 over them; each has a ``ConnectionWatch``.
    package var server: HTTPServerBuilder {
        HTTPServerBuilder { respond in
            HTTP1Channel(
                responder: { request, writer, channel in
                    // The client sends the body when it has this (RFC 9110, section 10.1.1).
                    if request.headers[.expect]?.lowercased() == "100-continue" {
                        try await writer.writeInformationalHead(HTTPResponse(status: .continue))
                    }
                    try await respond(request, writer, channel)
                },
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [ConnectionWatch(among: self)],
                    idleTimeout: self.idleTimeout
                )
            )
        }
    }

    /// How many there are.
    package var count: Int { self.channels.withLock { $0.count } }

    /// Closes all of them, whatever they are at.
    package func close() {
        for channel in self.channels.withLock({ Array($0.values) }) { channel.close(promise: nil) }
    }

    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        self.channels.withLock { $0[id] = channel }
        // One that is closed before it was active is never said to be inactive.
        channel.closeFuture.whenComplete { _ in self.channels.withLock { _ = $0.removeValue(forKey: id) } }
    }
}
