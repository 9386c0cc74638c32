// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPAPI
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Telemetry

/// The servers of the API: one on the network, one on the data directory's socket.
package enum HTTPServers {
    /// A server that listens now.
    enum Opened {
        case socket
        case network(url: String)
    }

    /// So long requests that are served may take when the service ends.
    fileprivate static let patience = TimeAmount.seconds(5)

    /// The one thread of all connections; what takes long runs elsewhere (``HandlerPool``).
    private static let loop: any EventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()

    /// The least that we start with.
    package static let leastConnections = OpenFiles.spare

    /// Who comes beyond that waits until others have left; the rest is for all else (``OpenFiles``).
    ///
    /// The socket has a share of its own, so that the network keeps nobody on this machine out.
    private static var mostConnections: (network: Int, socket: Int) { (OpenFiles.limit / 2, OpenFiles.limit / 8) }

    /// The servers, to be stopped in reverse; `opened` is called when one listens.
    static func services(
        options: PlatformOptions,
        directory: DataDirectory,
        backend: PlatformBackend,
        logger: Logger,
        opened: @escaping @Sendable (Opened) -> Void
    ) -> [any Service] {
        // Whoever asks must not take the time of ingest and rules, which have threads of their own.
        self.loop.execute { yieldToOthers(10) }
        // What a killed process left; nobody listens there, because we hold the lock.
        try? FileManager.default.removeItem(atPath: directory.socket)
        let connections = OpenConnections()
        let socket = Application(
            router: APIRouter.make(backend: backend, origin: .socket),
            server: connections.server,
            configuration: ApplicationConfiguration(
                address: .unixDomainSocket(path: directory.socket),
                availableConnectionsDelegate: .maximum(self.mostConnections.socket, logger: logger)
            ),
            onServerRunning: { _ in
                chmod(directory.socket, 0o600)
                opened(.socket)
            },
            eventLoopGroupProvider: .shared(self.loop),
            logger: logger
        )
        var services: [any Service] = [
            BoundServer(application: socket, connections: connections, address: directory.socket, loop: self.loop)
        ]
        if let listen = options.listen {
            services.append(self.network(listen, backend: backend, logger: logger, opened: opened))
        }
        // Stopped before the servers, which wait for open streams.
        services.append(Followers(signal: backend.feedSignal, tap: backend.deviceTap))
        return services
    }

    private static func network(
        _ listen: PlatformOptions.Address,
        backend: PlatformBackend,
        logger: Logger,
        opened: @escaping @Sendable (Opened) -> Void
    ) -> any Service {
        let host = listen.host
        let connections = OpenConnections()
        let network = Application(
            router: APIRouter.make(backend: backend, origin: .network(isLoopback: listen.isLoopback)),
            server: connections.server,
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: listen.port),
                availableConnectionsDelegate: .maximum(self.mostConnections.network, logger: logger)
            ),
            onServerRunning: { channel in
                let shown = host.contains(":") ? "[\(host)]" : host
                opened(.network(url: "http://\(shown):\(channel.localAddress?.port ?? listen.port)"))
            },
            eventLoopGroupProvider: .shared(self.loop),
            logger: logger
        )
        return BoundServer(
            application: network,
            connections: connections,
            address: "\(host):\(listen.port)",
            loop: self.loop
        )
    }
}

/// A server whose failure to listen says where and what to do.
private struct BoundServer<Responder: HTTPResponder>: Service
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    let application: Application<Responder>
    let connections: OpenConnections
    let address: String
    let loop: any EventLoop

    func run() async throws {
        do {
            try await withGracefulShutdownHandler {
                try await withTaskExecutorPreference(LoopExecutor(loop: self.loop)) { try await self.application.run() }
            } onGracefulShutdown: {
                // Whoever sends or takes nothing more would keep us for ever.
                self.loop.scheduleTask(in: HTTPServers.patience) { self.connections.close() }
            }
        } catch let error as IOError {
            throw PlatformError(
                .address,
                "cannot listen on \(self.address): \(String(cString: strerror(error.errnoCode))); "
                    + "stop what uses it, or name another address with --listen"
            )
        }
    }
}

/// Ends the streams of those who follow the feed or watch a device, so that the servers can close.
private struct Followers: Service {
    let signal: FeedSignal
    let tap: DeviceTap

    func run() async throws {
        try? await gracefulShutdown()
        self.signal.close()
        self.tap.close()
    }
}

/// Runs tasks on the thread of an event loop, so that a request is read and answered without waking another thread.
private final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
