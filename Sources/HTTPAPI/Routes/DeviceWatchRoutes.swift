// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry

/// `GET /api/devices/{id}/watch`: the messages of a device while they come in, as Server-Sent Events.
///
/// First comes `event: device` with the device as it is, then `event: message` for each message when it is on disk and the
/// rules have judged it. Of a message that speaks for several devices a token of an org is shown the device's own values and
/// refusals only. Nothing is replayed: what has come before is in the series and in quarantine.
struct DeviceWatchRoutes: Sendable {
    let backend: any APIBackend

    /// How long a quiet connection stays without a sign of life.
    private static let pingInterval = Duration.seconds(20)

    func add(to router: Router<APIRequestContext>) {
        router.get("/api/devices/:id/watch") { _, context in
            // Payloads may hold what only those should see who may also see quarantine.
            try context.require(.register)
            let id = try context.pathPart("id")
            let org = context.access.org
            guard let watched = self.backend.watchedDevice(id, org: org),
                let device = try await self.backend.deviceReport(id, org: org)
            else {
                throw APIProblem(
                    .notFound,
                    "there is no device '\(id)'; `poyang devices list` shows all, `poyang quarantine list` what strangers sent",
                    zh: "没有设备“\(id)”；用 poyang devices list 查看全部设备，用 poyang quarantine list 查看未登记设备的数据"
                )
            }
            return Response(
                status: .ok,
                headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
                body: ResponseBody { writer in
                    let (wakenings, ending) = Self.merge(self.backend.deviceTap.follow(watched))
                    let watch = try await ConnectionWatch.of(context.channel)
                    watch.call { ending.finish() }
                    defer { watch.call(nil) }
                    try await self.follow(wakenings, device, org: org, to: &writer)
                    try await writer.finish(nil)
                }
            )
        }
    }

    private enum Wakening: Sendable {
        case message(WatchedMessage)
        case quiet
        case closed
    }

    @concurrent
    private func follow(
        _ wakenings: AsyncStream<Wakening>,
        _ device: DeviceReport,
        org: String?,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        try await writer.write(try Self.frame("device", device))
        for await wakening in wakenings {
            switch wakening {
            case .message(let message):
                try await self.backend.judged()
                // Meanwhile it may have been retired, or registered by others.
                guard self.backend.watchedDevice(device.device, org: org) != nil else { return }
                let alerts = try await self.backend.alertReports(org: org)
                    .filter { $0.labels.site == device.site }
                try await writer.write(try Self.frame("message", WatchReport(message, alerts: alerts)))
            case .quiet: try await writer.write(ByteBuffer(string: ": ping\n\n"))
            case .closed: return
            }
        }
    }

    private static func merge(
        _ messages: AsyncStream<WatchedMessage>
    ) -> (AsyncStream<Wakening>, AsyncStream<Wakening>.Continuation) {
        let (wakenings, continuation) = AsyncStream.makeStream(
            of: Wakening.self,
            bufferingPolicy: .bufferingNewest(DeviceTap.waiting)
        )
        let following = Task {
            for await message in messages { continuation.yield(.message(message)) }
            continuation.yield(.closed)
            continuation.finish()
        }
        let clock = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: Self.pingInterval)
                continuation.yield(.quiet)
            }
        }
        continuation.onTermination = { _ in
            following.cancel()
            clock.cancel()
        }
        return (wakenings, continuation)
    }

    private static func frame(_ event: String, _ value: some Encodable) throws -> ByteBuffer {
        let json = String(decoding: try JSONBody.data(value), as: UTF8.self)
        return ByteBuffer(string: "event: \(event)\ndata: \(json)\n\n")
    }
}
