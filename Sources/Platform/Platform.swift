// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import Dissemination
import EarlyWarning
import Foundation
import HTTPAPI
package import Logging
import MQTTIngest
import SeriesStorage
import ServiceLifecycle
import StrictYAML
package import Telemetry
import UnixSignals

/// The whole service, put together: the only place that knows all rooms.
package struct Platform: Sendable {
    /// What the API sees, for those in the same process.
    package let backend: PlatformBackend
    private let services: [any Service]
    private let logger: Logger
    private let socket: String
    /// Yields once the socket can be connected to.
    private let socketIsOpen: AsyncStream<Void>
    // Held until the last service has ended.
    private let lock: DataDirectoryLock

    /// Opens the data directory, brings the rules up to the journal and prepares the servers.
    ///
    /// `announce` takes the lines that say where the service is: `broker URL`, `ready URL`.
    ///
    /// - Throws: ``PlatformError``, ``ProblemList`` with everything that is wrong in devices and rules, or what a
    ///   store says.
    package static func build(
        _ options: PlatformOptions,
        now: @escaping @Sendable () -> Timestamp = Platform.wallTime,
        logger: Logger,
        announce: @escaping @Sendable (String) -> Void
    ) throws -> Platform {
        let directory = DataDirectory(path: options.dataDirectory)
        let lock = try directory.acquire()
        try directory.requireFinishedRestore()
        let records = try CatalogStore(path: directory.catalog)
        let configuration = Configuration(options: options, records: records)
        let keys = SeriesKeyTable(gained: try records.gainedSeries())
        let (catalog, rules) = try configuration.load(keys: keys)
        if options.isService, rules.alerts.isEmpty {
            logger.warning("there are no rules: nothing is warned of", metadata: ["rules": "\(options.rulesDirectory)"])
        }
        let processed = try records.processedPosition()
        let store = try SeriesStore(path: directory.samples, processed: processed)
        if store.lostBatches > 0 {
            logger.error(
                "samples.db ends before what the rules have processed: acknowledged readings are lost; check the disk",
                metadata: ["lost_batches": "\(store.lostBatches)"]
            )
        }
        try catalog.adopt(storedIn: store)

        let policy = IngestPolicy(acceptsSimulated: options.exercise)
        let resolver = CatalogResolver(
            catalog: catalog,
            policy: policy,
            history: store.reader,
            board: DeviceBoard(firmware: try records.firmware(), connections: try records.connections())
        )
        resolver.replace(maintenance: try records.maintenanceWindows())
        let feedSignal = FeedSignal()
        let bell = UpkeepBell()
        let core = try ProcessingCore(
            store: store,
            records: records,
            resolver: resolver,
            feedSignal: feedSignal,
            options: options,
            rules: rules,
            processed: processed,
            at: now(),
            sealed: { bell.noteSealing() }
        )
        let processor = Processor(core: core, store: store, now: now, logger: logger) {
            try keys.save(records.put(gained:))
        }
        // A command wants to see everything; the service says that it is not ready, and does it on the rules' thread.
        if !options.isService { try processor.refeed() }
        let upkeep =
            options.isService
            ? Upkeep(
                store: store,
                processor: processor,
                bell: bell,
                hasRetention: !options.retention.isEmpty,
                plan: {
                    RetentionPlan(options, catalog: resolver.catalog, processor: processor, store: store, at: now())
                },
                now: now,
                logger: logger
            ) : nil

        let backfill =
            options.isService
            ? RecordingBackfill(
                store: store,
                records: records,
                resolver: resolver,
                processor: processor,
                now: now,
                logger: logger
            ) : nil

        let accounts = options.brokerAccounts.map { folder in
            BrokerAccounts(
                folder: folder,
                processIDFile: options.brokerProcessIDFile,
                service: options.brokerUser.map { ($0, options.brokerPassword ?? "") }
            )
        }
        if let accounts, let toDo = try accounts.publish(records.validCredentials(in: catalog)) {
            logger.warning("the broker may not know all accounts", metadata: ["to_do": "\(toDo)"])
        }
        let source = try Source(options: options, directory: directory, records: records)
        let tap = DeviceTap()
        let ingest = source.ingestOptions.map {
            Ingest(options: $0, sink: processor, resolver: resolver, logger: logger, tap: tap, now: now)
        }
        if let address = source.address { announce("broker \(address)") }
        let backend = PlatformBackend(
            records: records,
            samples: store,
            feedSignal: feedSignal,
            deviceTap: tap,
            options: options,
            resolver: resolver,
            processor: processor,
            pushes: RemoteWriteIntake(resolver: resolver, now: now) { try processor.commitWithoutPatience($0) },
            upkeep: upkeep,
            bell: bell,
            outageBoard: core.outageBoard,
            recordedBoard: core.recordedBoard,
            backfill: backfill,
            ingest: ingest,
            brokerName: source.address ?? "none",
            accounts: accounts,
            configuration: configuration,
            keys: keys,
            queries: QueryService(
                threads: QueryThreads(niceness: options.isService ? Int32(options.queryNiceness) : 0)
            ),
            wallClock: now
        )
        // In the order of their start; they stop in reverse, so that ingest drains first and the rules end last.
        var services: [any Service] = []
        if options.isService { services.append(WALTruncation(store: store, logger: logger)) }
        services.append(processor)
        if options.isService { services.append(Ticker(processor: processor) { ingest?.brokerFault }) }
        if let upkeep { services.append(upkeep) }
        if let backfill { services.append(backfill) }
        if options.isService {
            services.append(
                QualityWatch(store: store, resolver: resolver, processor: processor, now: now, logger: logger)
            )
        }
        services.append(DeviceBoardRecorder(board: resolver.board, records: records, logger: logger))
        let socketIsOpen = AsyncStream.makeStream(of: Void.self)
        services += HTTPServers.services(options: options, directory: directory, backend: backend, logger: logger) {
            address in
            switch address {
            case .socket: socketIsOpen.continuation.yield()
            case .network(let url): announce("ready \(url)")
            }
        }
        services.append(ReloadOnHangup(backend: backend, logger: logger))
        if options.isService {
            services.append(ReloadOnEdit(folder: options.rulesDirectory, backend: backend, logger: logger))
        }
        if let ingest { services.append(IngestService(ingest: ingest, processor: processor, broker: source.broker)) }
        return Platform(
            backend: backend,
            services: services,
            logger: logger,
            socket: directory.socket,
            socketIsOpen: socketIsOpen.stream,
            lock: lock
        )
    }

    /// The machine's clock.
    package static func wallTime() -> Timestamp { Timestamp(date: Date()) }

    /// Runs until SIGTERM or SIGINT, or until a server fails.
    package func run() async throws {
        try await self.group(signals: [.sigterm, .sigint]).run()
    }

    /// Serves the socket for the time of `body`.
    package func serveSocket<Result>(_ body: (_ path: String) async throws -> Result) async throws -> Result {
        let group = self.group(signals: [])
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await _ in self.socketIsOpen { break }
            do {
                let result = try await body(self.socket)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                return result
            } catch {
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                throw error
            }
        }
    }

    private func group(signals: [UnixSignal]) -> ServiceGroup {
        ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: self.services.map {
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: $0,
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup
                    )
                },
                gracefulShutdownSignals: signals,
                logger: self.logger
            )
        )
    }
}

/// Where readings come from, and what has to run for that.
private struct Source {
    var ingestOptions: IngestOptions?
    var broker: EmbeddedBroker?
    var address: String?

    init(options: PlatformOptions, directory: DataDirectory, records: CatalogStore) throws {
        let address: BrokerAddress
        switch options.broker {
        case .none: return
        case .url(let url): address = try BrokerAddress(url)
        case .embedded:
            let broker = try EmbeddedBroker(EmbeddedBroker.Options(directory: URL(fileURLWithPath: directory.broker)))
            self.broker = broker
            address = broker.address
        }
        self.address = "\(address)"
        let credentials = options.brokerUser.map {
            MQTTCredentials(
                user: $0,
                password: options.brokerPassword ?? "",
                authorityFile: options.brokerAuthorityFile
            )
        }
        self.ingestOptions = IngestOptions(
            broker: address,
            clientID: "poyang-\(records.directoryID)",
            credentials: credentials
        )
    }
}

extension Timestamp {
    /// Wall time to the millisecond.
    fileprivate init(date: Date) {
        self.init(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded(.down)))
    }
}
