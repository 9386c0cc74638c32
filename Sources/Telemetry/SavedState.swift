// poyang
// SPDX-License-Identifier: Apache-2.0

/// The state of one alert, for the rules to take up again after a start.
package struct AlertStateRow: Hashable, Sendable {
    package struct Key: Hashable, Sendable {
        package var rule: String
        /// The labels as canonical JSON (keys sorted).
        package var labels: String

        package init(rule: String, labels: String) {
            self.rule = rule
            self.labels = labels
        }
    }

    package var key: Key
    package var json: String

    package init(key: Key, json: String) {
        self.key = key
        self.json = json
    }
}

/// The clock of a site, or of what stands for one.
package struct ClockRow: Hashable, Sendable {
    package var key: String
    package var json: String

    package init(key: String, json: String) {
        self.key = key
        self.json = json
    }
}
