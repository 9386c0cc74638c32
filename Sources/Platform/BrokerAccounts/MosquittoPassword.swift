// poyang
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// Passwords as mosquitto's `password_file` keeps them.
enum MosquittoPassword {
    /// Letters and digits that nobody mistakes for each other.
    private static let alphabet = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")

    /// 24 characters, about 139 random bits.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return String((0..<24).compactMap { _ in self.alphabet.randomElement(using: &generator) })
    }

    /// `$6$salt$hash`: one SHA-512 over password and salt, both in base 64.
    ///
    /// Slow hashes protect passwords that people choose. These are random, and the broker computes the hash of each
    /// connected client when it reads the file again.
    static func hash(_ password: String, salt: [UInt8]) -> String {
        let digest = SHA512.hash(data: Array(password.utf8) + salt)
        return "$6$\(Data(salt).base64EncodedString())$\(Data(digest).base64EncodedString())"
    }

    static func hash(_ password: String) -> String {
        var generator = SystemRandomNumberGenerator()
        return self.hash(password, salt: (0..<12).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }
}
