// poyang
// SPDX-License-Identifier: Apache-2.0

/// What a topic of Sparkplug B says: `spBv1.0/{group}/{type}/{edge node}[/{device}]`.
package struct SparkplugTopic: Hashable, Sendable {
    /// The kinds of messages that say something of measurements.
    package enum Kind: String, Hashable, Sendable {
        case nodeBirth = "NBIRTH"
        case nodeDeath = "NDEATH"
        case nodeData = "NDATA"
        case deviceBirth = "DBIRTH"
        case deviceDeath = "DDEATH"
        case deviceData = "DDATA"

        var isOfNode: Bool { [.nodeBirth, .nodeDeath, .nodeData].contains(self) }
    }

    package var group: String
    /// Nil for commands and for the state of hosts, which hold no readings.
    package var kind: Kind?
    package var node: String
    /// Empty for messages of the node itself.
    package var device: String

    /// Nil where the topic is none of Sparkplug B.
    package init?(_ topic: String) {
        let parts = topic.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, parts.count <= 5, parts[0] == "spBv1.0", !parts.contains("") else { return nil }
        if parts[1] == "STATE" || parts.count == 3 {
            guard parts[1] == "STATE" else { return nil }
            (self.group, self.node, self.device) = ("", "", "")
            return
        }
        (self.group, self.node) = (parts[1], parts[3])
        self.device = parts.count == 5 ? parts[4] : ""
        self.kind = Kind(rawValue: parts[2])
        guard let kind else {
            guard ["NCMD", "DCMD"].contains(parts[2]) else { return nil }
            return
        }
        guard kind.isOfNode == self.device.isEmpty else { return nil }
    }

    /// The foreign identity of who sent it: `group/node` or `group/node/device`.
    package var address: String {
        self.device.isEmpty ? self.nodeAddress : "\(self.nodeAddress)/\(self.device)"
    }

    /// The name that the device, or the node, has in its group.
    package var name: String { self.device.isEmpty ? self.node : self.device }

    var nodeAddress: String { "\(self.group)/\(self.node)" }

    /// Where the edge node listens for orders.
    package var command: String { "spBv1.0/\(self.group)/NCMD/\(self.node)" }
}
