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
enum HTTPServers {
    /// A server that listens now.
    enum Opened {
        case socket
        case network(url: String)
    }

    /// The servers, to be stopped in reverse; `opened` is called when one listens.
    static func services(
        options: PlatformOptions,
        directory: DataDirectory,
        backend: PlatformBackend,
        logger: Logger,
        opened: @escaping @Sendable (Opened) -> Void
    ) -> [any Service] {
        // Whoever asks must not take the time of ingest and rules, which have threads of their own.
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { loop.execute { yieldToOthers(10) } }
        // What a killed process left; nobody listens there, because we hold the lock.
        try? FileManager.default.removeItem(atPath: directory.socket)
        let socket = Application(
            router: APIRouter.make(backend: backend, origin: .socket),
            configuration: ApplicationConfiguration(address: .unixDomainSocket(path: directory.socket)),
            onServerRunning: { _ in
                chmod(directory.socket, 0o600)
                opened(.socket)
            },
            logger: logger
        )
        var services: [any Service] = [BoundServer(application: socket, address: directory.socket)]
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
        let network = Application(
            router: APIRouter.make(backend: backend, origin: .network(isLoopback: listen.isLoopback)),
            configuration: ApplicationConfiguration(address: .hostname(host, port: listen.port)),
            onServerRunning: { channel in
                let shown = host.contains(":") ? "[\(host)]" : host
                opened(.network(url: "http://\(shown):\(channel.localAddress?.port ?? listen.port)"))
            },
            logger: logger
        )
        return BoundServer(application: network, address: "\(host):\(listen.port)")
    }
}

/// A server whose failure to listen says where and what to do.
private struct BoundServer<Responder: HTTPResponder>: Service
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    let application: Application<Responder>
    let address: String

    func run() async throws {
        do {
            try await self.application.run()
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
