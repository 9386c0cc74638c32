// poyang
// SPDX-License-Identifier: Apache-2.0

/// What can be seen of a regular expression without understanding it.
enum PatternShape: Equatable {
    /// `.*`
    case anything
    /// `.+`
    case nonEmpty
    /// `a`, `a|b|`: these texts and no other.
    case literals([String])
    /// `abc.*`, `abc.+`: this and so many bytes more.
    case prefix(String, more: Int)
    /// Everything else.
    case opaque

    /// Longer patterns are not looked into; finding their texts would cost as much as asking the expression.
    private static let longest = 4096

    /// - Parameter text: A pattern of RE2's syntax, anchored at both ends, in which a dot matches every character.
    init(pattern text: String) {
        guard text.utf8.count <= Self.longest else {
            self = .opaque
            return
        }
        var branches: [String] = []
        var branch = String.UnicodeScalarView()
        var scalars = text.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "|":
                branches.append(String(branch))
                branch = String.UnicodeScalarView()
            case "\\":
                guard let escaped = scalars.popFirst(), Self.isPunctuation(escaped) else {
                    self = .opaque
                    return
                }
                branch.append(escaped)
            case "." where branches.isEmpty && scalars.count == 1:
                self = Self.tail(scalars.first, after: String(branch))
                return
            case ".", "*", "+", "?", "(", ")", "[", "]", "{", "}", "^", "$":
                self = .opaque
                return
            default: branch.append(scalar)
            }
        }
        self = .literals(branches + [String(branch)])
    }

    private static func tail(_ scalar: Unicode.Scalar?, after prefix: String) -> PatternShape {
        switch scalar {
        case "*": prefix.isEmpty ? .anything : .prefix(prefix, more: 0)
        case "+": prefix.isEmpty ? .nonEmpty : .prefix(prefix, more: 1)
        default: .opaque
        }
    }

    /// What RE2 takes for itself after a backslash.
    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isASCII, scalar.value > 0x20, scalar.value < 0x7F else { return false }
        return !("0"..."9").contains(scalar) && !("A"..."Z").contains(scalar) && !("a"..."z").contains(scalar)
    }
}
