// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Foundation
import HTTPAPI
import Synchronization

/// The files by which mosquitto knows the devices: `passwords` and `acl` in a folder that it reads, too.
///
/// A device publishes below its own topics and reads nothing; a gateway and a network server publish for many devices and
/// read nothing either. What stands in `passwords.extra` and `acl.extra` beside them, such as a person's account, is taken
/// over as it is; no account is made under a name that stands there or is the service's. mosquitto reads both files again on
/// SIGHUP and then ends the connections of those whose password is no longer right.
final class BrokerAccounts: Sendable {
    let folder: String
    /// Where mosquitto's `pid_file` is; nil where nobody is to be told.
    private let processIDFile: String?
    /// The service's own account, where it has one.
    private let service: (user: String, password: String)?
    private let writing = Mutex(())

    init(folder: String, processIDFile: String?, service: (user: String, password: String)?) {
        self.folder = folder
        self.processIDFile = processIDFile
        self.service = service
    }

    /// Whether an id can be a user: a colon ends the name in a password file.
    static func isPossibleUser(_ id: String) -> Bool { !id.contains(":") }

    /// Users that are not ours to make, each with the place where it stands: a file, or the setting of the service's own.
    func usersOfOthers() -> [String: String] {
        var users: [String: String] = [:]
        for line in self.extra("acl.extra").split(whereSeparator: \.isNewline) {
            let words = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            if words.count == 2, words[0] == "user" { users[Self.trimmed(words[1])] = "acl.extra" }
        }
        for user in self.usersWithPasswords() { users[user] = "passwords.extra" }
        if let service { users[service.user] = "POYANG_BROKER_USER" }
        return users
    }

    private func usersWithPasswords() -> Set<String> {
        let lines = self.extra("passwords.extra").split(whereSeparator: \.isNewline)
        return Set(
            lines.compactMap { line in
                guard !line.hasPrefix("#"), let colon = line.firstIndex(of: ":") else { return nil }
                return Self.trimmed(line[..<colon])
            }
        )
    }

    /// mosquitto takes blanks around a name away.
    private static func trimmed(_ name: Substring) -> String { name.trimmingCharacters(in: .whitespaces) }

    /// Writes both files and tells the broker.
    ///
    /// An account whose user has come into `passwords.extra` since it was made is left out: that one's password counts.
    ///
    /// - Parameter credentials: Those that are valid.
    /// - Returns: What is still to be done by hand; nil when the broker was told.
    /// - Throws: ``PlatformError`` when a file cannot be written; the broker then goes on with what it has.
    func publish(_ credentials: [CredentialRow]) throws -> String? {
        let leftOut = try self.writing.withLock { _ in
            var others = self.usersWithPasswords()
            if let service { others.insert(service.user) }
            let ours = credentials.filter { !others.contains($0.user) }
            try self.write("passwords", self.passwords(ours))
            try self.write("acl", self.rights(ours))
            return credentials.count - ours.count
        }
        let toDo = self.tellBroker()
        guard leftOut > 0 else { return toDo }
        let words =
            "\(leftOut) of the accounts have the name of one in passwords.extra or of the service's own and are left out: compare "
            + "with `poyang devices credentials --list`, and give one of the two another name"
        return toDo.map { "\($0); \(words)" } ?? words
    }

    private func passwords(_ credentials: [CredentialRow]) -> String {
        var text = ""
        if let service { text += "\(service.user):\(MosquittoPassword.hash(service.password))\n" }
        for row in credentials { text += "\(row.user):\(row.hash)\n" }
        return text + self.extra("passwords.extra")
    }

    private func rights(_ credentials: [CredentialRow]) -> String {
        // First what is not ours: its lines before any `user` are everybody's, not those of the last user of ours.
        var text = "# Written by poyang; what is yours stands in acl.extra.\n\(self.extra("acl.extra"))\n"
        for row in credentials where row.role != .device {
            text += "user \(row.user)\n" + row.role.topics.map { "topic write \($0)\n" }.joined() + "\n"
        }
        if let service { text += "user \(service.user)\ntopic readwrite #\n\n" }
        return text + "pattern write poyang/v1/devices/%u/#\n"
    }

    private func extra(_ name: String) -> String {
        // What is no UTF-8 stands in a comment, and hides nobody's account.
        FileManager.default.contents(atPath: "\(self.folder)/\(name)").map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// The new file takes the old one's place at once; the group of the folder, mosquitto's, may read it.
    private func write(_ name: String, _ text: String) throws {
        let path = "\(self.folder)/\(name)"
        let temporary = path + ".new"
        let data = Data(text.utf8)
        var folderFacts = stat()
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0, stat(self.folder, &folderFacts) == 0 else { throw self.failure(temporary) }
        defer { close(descriptor) }
        // Where it is not ours to give away the folder's set-group-ID bit does the same.
        _ = fchown(descriptor, uid_t.max, folderFacts.st_gid)
        let isWritten = data.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
        guard isWritten, fchmod(descriptor, 0o640) == 0, fsync(descriptor) == 0, rename(temporary, path) == 0 else {
            throw self.failure(path)
        }
    }

    private func failure(_ path: String) -> PlatformError {
        PlatformError(
            .input,
            "cannot write \(path): \(String(cString: strerror(errno))); broker_accounts should be a folder that poyang may "
                + "write and mosquitto may read"
        )
    }

    private func tellBroker() -> String? {
        let advice = "let mosquitto read its files again: systemctl reload mosquitto"
        guard let processIDFile else { return advice }
        guard let text = try? String(contentsOfFile: processIDFile, encoding: .utf8),
            let processID = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), processID > 1
        else { return "\(processIDFile) names no process; \(advice)" }
        guard kill(processID, SIGHUP) == 0 else {
            return
                "process \(processID) of \(processIDFile) cannot be told (\(String(cString: strerror(errno)))); \(advice)"
        }
        return nil
    }
}
