// poyang
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
package import Telemetry

/// Samples of one pushed series, in the order in which they came.
package struct RemoteWriteSeries: Hashable, Sendable {
    package var labels: Labels
    package var samples: [Sample]

    package init(labels: Labels, samples: [Sample]) {
        self.labels = labels
        self.samples = samples
    }
}

/// What one pushed body holds.
package struct RemoteWriteRequest: Hashable, Sendable {
    package var series: [RemoteWriteSeries] = []
    /// Series whose labels cannot be stored, by their samples; a short list, as in ``DecodedMessage``.
    package var refusals: [Refusal] = []
    /// Exemplars, which are passed over.
    package var exemplars = 0
    /// Samples of native histograms, which are passed over.
    package var histograms = 0

    package init() {}
}

/// Reads Prometheus remote write 1.0: a `prometheus.WriteRequest` as protobuf in a snappy block.
///
/// Values keep their bits, so that a stale marker (the NaN 0x7ff0000000000002) stays one. Metadata is passed over.
package enum RemoteWriteCodec {
    /// Bytes that a body may have as it comes.
    package static let maximumBody = 32 << 20
    /// Bytes that it may have when it is decompressed.
    package static let maximumMessage = 128 << 20
    /// Series, labels and samples that it may have together.
    package static let maximumParts = 4 << 20

    private static let options: BinaryDecodingOptions = {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        return options
    }()

    /// Decodes one whole body.
    ///
    /// A series whose labels cannot be stored is refused alone; the others are taken.
    ///
    /// - Throws: ``RemoteWriteError`` when the body as a whole cannot be used.
    package static func decode(_ body: UnsafeRawBufferPointer) throws(RemoteWriteError) -> RemoteWriteRequest {
        guard body.count <= self.maximumBody else { throw self.tooLarge(body.count) }
        return try self.read(SnappyBlock.decompressed(body, limit: self.maximumMessage))
    }

    /// The refusal of a body of so many bytes.
    package static func tooLarge(_ bytes: Int) -> RemoteWriteError {
        RemoteWriteError(
            .tooLarge,
            "the body has \(bytes) bytes, and \(self.maximumBody) are taken; send fewer samples in a request"
        )
    }

    private static func read(_ message: [UInt8]) throws(RemoteWriteError) -> RemoteWriteRequest {
        let parts = WireCensus.parts(of: message.span)
        guard parts <= self.maximumParts else {
            throw RemoteWriteError(
                .tooLarge,
                "the body has \(parts) series, labels and samples, and \(self.maximumParts) are taken; "
                    + "send fewer samples in a request"
            )
        }
        let wire: WireWriteRequest
        do {
            wire = try WireWriteRequest(serializedBytes: message, options: self.options)
        } catch {
            throw RemoteWriteError(
                .malformed,
                "the body is no prometheus.WriteRequest of remote write 1.0: \(self.reason(error))"
            )
        }
        var refused = DecodedMessage()
        var request = RemoteWriteRequest()
        request.series.reserveCapacity(wire.timeseries.count)
        for series in wire.timeseries {
            request.exemplars += series.exemplars.count
            request.histograms += series.histograms.count
            guard !series.samples.isEmpty else { continue }
            switch self.labels(of: series) {
            case .success(let labels):
                request.series.append(RemoteWriteSeries(labels: labels, samples: series.samples.map(Sample.init)))
            case .failure(let problem):
                refused.refuse(
                    Refusal(
                        reason: .malformed,
                        detail: problem.message,
                        key: problem.series,
                        values: series.samples.count
                    )
                )
            }
        }
        request.refusals = refused.refusals
        return request
    }

    /// Why the labels of a series cannot be stored.
    private struct LabelProblem: Error {
        let series: String
        let message: String
    }

    private static func labels(of series: WireTimeSeries) -> Result<Labels, LabelProblem> {
        var pairs = LabelPairs()
        for label in series.labels {
            if let problem = pairs.add(label.name, label.value) {
                return .failure(LabelProblem(series: self.text(of: series), message: problem))
            }
        }
        guard pairs.hasNoMetric else { return .success(pairs.labels) }
        let message = "the label __name__ is missing: it holds the metric's name"
        return .failure(LabelProblem(series: self.text(of: series), message: message))
    }

    /// A series as it came, for whoever looks for its sender.
    private static func text(of series: WireTimeSeries) -> String {
        let labels = series.labels.prefix(32).map { "\($0.name)=\"\($0.value)\"" }
        return String("{\(labels.joined(separator: ","))}".prefix(200))
    }

    private static func reason(_ error: any Error) -> String {
        switch error as? BinaryDecodingError {
        case .truncated: "it ends in the middle"
        case .invalidUTF8: "a label is not UTF-8"
        case .malformedProtobuf, .trailingGarbage, .messageDepthLimit: "it is not protobuf"
        case .missingRequiredFields, .internalExtensionError, nil: "\(error)"
        }
    }
}

extension Sample {
    fileprivate init(_ sample: WireSample) {
        self.init(time: Timestamp(milliseconds: sample.timestamp), value: sample.value)
    }
}
