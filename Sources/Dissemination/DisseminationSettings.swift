// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Who speaks, and how long a message holds.
package struct DisseminationSettings: Sendable {
    /// The sender in CAP, without comma, space, `<` or `&`; `nil` until somebody configures one.
    package var sender: String?
    package var senderName: String
    /// Begins every identifier; `[A-Za-z0-9-]`.
    package var identifierPrefix: String
    /// `serve --exercise`: whatever is said is an Exercise.
    package var isExercise: Bool
    /// From `sent` to `expires`.
    package var lifetime: Milliseconds

    /// What stands for a sender that nobody configured.
    package static let unconfiguredSender = "poyang@unconfigured.invalid"

    package init(
        sender: String? = nil,
        senderName: String = "poyang",
        identifierPrefix: String = "poyang",
        isExercise: Bool = false,
        lifetime: Milliseconds = 24 * .hour
    ) {
        self.sender = sender
        self.senderName = senderName
        self.identifierPrefix = identifierPrefix
        self.isExercise = isExercise
        self.lifetime = lifetime
    }
}

/// When a step is taken.
package struct StepContext: Sendable {
    /// What the messages give as `sent`, fractions of a second cut off; event time where data are replayed.
    package var sentAt: Timestamp
    /// By our own clock, for the ledger.
    package var processedAt: Timestamp

    package init(sentAt: Timestamp, processedAt: Timestamp) {
        self.sentAt = sentAt
        self.processedAt = processedAt
    }
}

/// Finds a registered site by its id.
package typealias SiteDirectory = @Sendable (String) -> Site?

/// Why a warning could not be changed by a call.
package enum WarningBookError: Error, Hashable, Sendable, CustomStringConvertible {
    case notActive(number: String)
    /// Nobody was called for it, so nobody can take notice of it or withdraw it.
    case waits(number: String)

    package var description: String {
        switch self {
        case .notActive(let number): "no warning \"\(number)\" is active; see poyang warnings list --active"
        case .waits(let number):
            "warning \"\(number)\" has been sent to nobody: it waits for the list of the morning, which has a number of its "
                + "own"
        }
    }
}
