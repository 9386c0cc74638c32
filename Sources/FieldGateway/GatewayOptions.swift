// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// How the gateway listens, and what it may do by itself.
package struct GatewayOptions: Sendable {
    package var host: String
    /// 0 takes a free one.
    package var port: Int
    /// Connections at a time; one more is closed.
    package var connections = 2000
    /// How long a frame may take from its first byte to its last.
    package var frameTimeout: Milliseconds = 15 * .second
    /// How long a connection may be without any frame; stations keep a link with a sign of life at least every 255 s.
    package var idle: Milliseconds = 10 * .minute
    /// Whether clocks that are off by more than ``drift`` are set (function 4A).
    package var setsClocks = false
    package var drift: Milliseconds = .minute
    /// How far back missing hours are asked for (function 38); 0 for never.
    package var backfill: Milliseconds = 7 * .day
    /// Whether stations are always told to stay on line (ESC instead of EOT).
    package var keepsOnline = false
    /// How long a station has for its answer to a question; it is asked three times.
    package var answerTimeout: Milliseconds = 20 * .second
    /// How long nothing may come from a station before it is asked anything: what it has stored itself comes first.
    package var pause: Milliseconds = 2 * .second
    /// Where what is known of gaps is kept over a restart.
    package var stateFile: String?
    /// Messages, and their bytes, that wait for the broker at most.
    package var messagesInFlight = 10_000
    package var bytesInFlight = 64 << 20

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}
