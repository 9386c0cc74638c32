// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Prometheus's own client asks us.
@Suite(.enabled(if: PrometheusServer.isExpected, "without prometheus and promtool; `ops/setup prometheus`"))
struct PromtoolTests {
    private static let samples = """
        level_meters{station="a"} 18.5 1700000000
        level_meters{station="a"} 18.25 1700000060
        level_meters{station="b"} NaN 1700000060
        # EOF

        """

    private func promtool(_ arguments: [String]) async throws -> PoyangProcess.Outcome {
        let run = try PoyangProcess(program: try PrometheusServer.program("promtool"), ["query"] + arguments)
        try await run.waitForExit()
        return run.outcome
    }

    @Test(.timeLimit(.minutes(1)))
    func promtoolReadsEveryAnswer() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start(importing: Self.samples, "openmetrics", in: folder)
            let instant = try await self.promtool(["instant", "--time=1700000060", service.url, "level_meters"])
            #expect(instant.status == 0, "\(instant.errors)")
            #expect(
                instant.output == """
                    level_meters{station="a"} => 18.25 @[1700000060]
                    level_meters{station="b"} => NaN @[1700000060]

                    """
            )
            let window = try await self.promtool([
                "instant", "--time=1700000060", service.url, #"level_meters{station="a"}[5m]"#,
            ])
            #expect(
                window.output == """
                    level_meters{station="a"} =>
                    18.5 @[1700000000]
                    18.25 @[1700000060]

                    """,
                "\(window.errors)"
            )
            let scalar = try await self.promtool(["instant", "--time=1700000060", service.url, "1 / 4"])
            #expect(scalar.output == "scalar: 0.25 @[1700000060]\n", "\(scalar.errors)")

            let range = try await self.promtool([
                "range", "--start=1700000000", "--end=1700000060", "--step=30s", service.url,
                #"0 - level_meters{station="a"}"#,
            ])
            #expect(range.status == 0, "\(range.errors)")
            #expect(
                range.output == """
                    {station="a"} =>
                    -18.5 @[1700000000]
                    -18.5 @[1700000030]
                    -18.25 @[1700000060]

                    """
            )
            let series = try await self.promtool([
                "series", "--match=level_meters", "--start=1699990000", "--end=1700000100", service.url,
            ])
            #expect(series.status == 0, "\(series.errors)")
            #expect(
                series.output == """
                    {__name__="level_meters", station="a"}
                    {__name__="level_meters", station="b"}

                    """
            )
            let labels = try await self.promtool([
                "labels", "--start=1699990000", "--end=1700000100", service.url, "station",
            ])
            #expect(labels.status == 0, "\(labels.errors)")
            #expect(labels.output == "a\nb\n")
            let json = try await self.promtool([
                "instant", "--time=1700000060", "-o", "json", service.url, #"level_meters{station="a"}"#,
            ])
            #expect(json.output.contains(#""value":[1700000060,"18.25"]"#), "\(json.output) \(json.errors)")

            let refused = try await self.promtool(["instant", service.url, "sum("])
            #expect(refused.status == 1)
            #expect(refused.errors.contains("bad_data"), "\(refused.errors)")
            try await service.stop()
        }
    }
}
