// swift-tools-version: 6.3
import PackageDescription

let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let xmlCoder = Target.Dependency.product(name: "XMLCoder", package: "XMLCoder")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "poyang",
    products: [.executable(name: "poyang", targets: ["poyang"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/CoreOffice/XMLCoder", from: "0.18.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The rooms, lowest first. Edges go down only.
        .target(name: "Telemetry"),
        .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
        .target(
            name: "PayloadCodecs",
            dependencies: ["CSnappy", "Telemetry", protobuf],
            exclude: ["RemoteWrite/remote_write.proto", "Sparkplug/sparkplug_b.proto"]
        ),
        .target(name: "StrictYAML", dependencies: [yams]),
        .target(name: "DeviceCatalog", dependencies: ["Telemetry", "StrictYAML"]),
        .target(name: "SeriesStorage", dependencies: ["Telemetry", grdb, grdbSQLite]),
        .target(name: "CatalogStorage", dependencies: ["Telemetry", crypto, grdb]),
        .target(name: "PromQL", dependencies: ["Telemetry"]),
        .target(name: "EarlyWarning", dependencies: ["Telemetry", "PromQL", "StrictYAML"]),
        .target(name: "Dissemination", dependencies: ["Telemetry", xmlCoder]),
        .systemLibrary(name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
        .target(
            name: "MQTTIngest",
            dependencies: ["CMosquitto", "Telemetry", "PayloadCodecs", "DeviceCatalog", crypto, logging],
            swiftSettings: [.strictMemorySafety()]
        ),
        .target(
            name: "FieldGateway",
            dependencies: ["MQTTIngest", "PayloadCodecs", "Telemetry", nioCore, nioPosix, serviceLifecycle]
        ),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "HTTPAPI",
            dependencies: [
                "Telemetry", "PayloadCodecs", "PromQL", "DeviceCatalog", "EarlyWarning", "Dissemination",
                "CatalogStorage",
                "SeriesStorage", "CZlib", hummingbird, hummingbirdCore, httpTypes, logging, nioCore,
                nioHTTP1,
            ]
        ),
        .target(
            name: "Platform",
            dependencies: [
                "Telemetry", "PayloadCodecs", "DeviceCatalog", "SeriesStorage", "CatalogStorage", "PromQL",
                "EarlyWarning", "Dissemination", "MQTTIngest", "HTTPAPI", "StrictYAML", "CZlib", crypto, hummingbird,
                logging, nioCore, nioPosix, serviceLifecycle, unixSignals,
            ]
        ),
        .systemLibrary(name: "CQrencode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .executableTarget(
            name: "poyang",
            dependencies: [
                "CQrencode", "Telemetry", "PayloadCodecs", "DeviceCatalog", "EarlyWarning", "HTTPAPI", "PromQL",
                "MQTTIngest",
                "FieldGateway", "Platform", "StrictYAML", "SeriesStorage", argumentParser, asyncHTTPClient, logging,
                nioCore, nioHTTP1,
                serviceLifecycle, unixSignals, xmlCoder,
            ]
        ),
        .systemLibrary(name: "CMalloc"),
        .executableTarget(
            name: "poyang-bench",
            dependencies: [
                "BenchmarkData", "CMalloc", "CMosquitto", "DeviceCatalog", "EarlyWarning", "MQTTIngest",
                "PayloadCodecs", "SeriesStorage", "StrictYAML", "Telemetry", argumentParser,
            ]
        ),
        // Fakes and scoped helpers for tests; not a product.
        .target(name: "TestSupport", dependencies: ["Telemetry", "PromQL"], path: "Tests/TestSupport"),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry", "TestSupport"]),
        .executableTarget(
            name: "BulkBench",
            dependencies: ["PayloadCodecs", "Telemetry"],
            path: "Tests/BulkBench"
        ),
        .testTarget(name: "PayloadCodecsTests", dependencies: ["PayloadCodecs", "Telemetry", "TestSupport"]),
        .testTarget(name: "StrictYAMLTests", dependencies: ["StrictYAML"]),
        .testTarget(
            name: "DeviceCatalogTests",
            dependencies: ["DeviceCatalog", "StrictYAML", "Telemetry", "TestSupport"]
        ),
        // The victim of the crash tests and what it writes; a benchmark of the store alone.
        .target(name: "CrashScript", dependencies: ["SeriesStorage", "Telemetry"], path: "Tests/CrashScript"),
        .executableTarget(
            name: "CrashWriter",
            dependencies: ["CrashScript", "SeriesStorage", "Telemetry"],
            path: "Tests/CrashWriter"
        ),
        .executableTarget(
            name: "StorageBench",
            dependencies: ["BenchmarkData", "SeriesStorage", "Telemetry"],
            path: "Tests/StorageBench"
        ),
        // A benchmark of the label index alone.
        .executableTarget(name: "IndexBench", dependencies: ["SeriesStorage", "Telemetry"], path: "Tests/IndexBench"),
        // Sensor series from a seed, and a benchmark of the chunk codec on them.
        .target(name: "BenchmarkData", dependencies: ["Telemetry"], path: "Tests/BenchmarkData"),
        .executableTarget(
            name: "ChunkBench",
            dependencies: ["BenchmarkData", "SeriesStorage", "Telemetry"],
            path: "Tests/ChunkBench"
        ),
        // A benchmark of what happens to a reading inside the process.
        .executableTarget(
            name: "EngineBench",
            dependencies: ["DeviceCatalog", "EarlyWarning", "PayloadCodecs", "SeriesStorage", "Telemetry"],
            path: "Tests/EngineBench"
        ),
        .testTarget(
            name: "SeriesStorageTests",
            dependencies: [
                "SeriesStorage", "Telemetry", "TestSupport", grdb, "BenchmarkData", "CrashScript", "CrashWriter",
            ]
        ),
        .testTarget(name: "CatalogStorageTests", dependencies: ["CatalogStorage", "Telemetry", "TestSupport", grdb]),
        // Runs PromQL test scripts.
        .executableTarget(name: "Conformance", dependencies: ["TestSupport"], path: "Tests/Conformance"),
        .testTarget(name: "PromQLTests", dependencies: ["PromQL", "Telemetry", "TestSupport"]),
        .testTarget(
            name: "EarlyWarningTests",
            dependencies: ["EarlyWarning", "PromQL", "StrictYAML", "Telemetry", "TestSupport"]
        ),
        .testTarget(name: "DisseminationTests", dependencies: ["Dissemination", "Telemetry", "TestSupport"]),
        .testTarget(
            name: "MQTTIngestTests",
            dependencies: ["MQTTIngest", "DeviceCatalog", "PayloadCodecs", "Telemetry", "TestSupport"]
        ),
        .testTarget(
            name: "FieldGatewayTests",
            dependencies: ["FieldGateway", "MQTTIngest", "PayloadCodecs", "Telemetry", "TestSupport"]
        ),
        .testTarget(
            name: "PlatformTests",
            dependencies: [
                "Platform", "HTTPAPI", "DeviceCatalog", "SeriesStorage", "CatalogStorage", "EarlyWarning",
                "PayloadCodecs", "PromQL", "CZlib", "Dissemination", "MQTTIngest", "Telemetry", "TestSupport", grdb,
                hummingbird,
                hummingbirdTesting,
                httpTypes,
                logging,
                nioCore,
            ]
        ),
        .testTarget(
            name: "poyangTests",
            dependencies: [
                "poyang", "DeviceCatalog", "EarlyWarning", "StrictYAML", "Telemetry", "TestSupport", argumentParser,
            ]
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "BenchmarkData", "Telemetry", "MQTTIngest", "PayloadCodecs", "TestSupport", "poyang", logging,
            ]
        ),
    ]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = (target.swiftSettings ?? []) + house
}
