// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What standard output can show.
struct Terminal: Equatable {
    /// In columns.
    var width = 80
    /// In lines; nil where nobody knows.
    var height: Int?
    /// Whether it understands UTF-8; else only ASCII is drawn.
    var isUnicode = true
    var hasColors = false

    /// The terminal of this process, or what the environment says about the pipe it writes to.
    ///
    /// `COLUMNS` counts before the terminal's own size; `NO_COLOR` (no-color.org) and `TERM=dumb` switch colours off, and
    /// a pipe has none.
    static func current(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> Terminal {
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0
        var terminal = Terminal(environment, isTerminal: isatty(STDOUT_FILENO) == 1)
        if isKnown, size.ws_row > 0 { terminal.height = Int(size.ws_row) }
        if environment["COLUMNS"].flatMap(Int.init) == nil, isKnown, size.ws_col > 0 {
            terminal.width = Self.sensible(Int(size.ws_col))
        }
        return terminal
    }

    init(width: Int = 80, isUnicode: Bool = true, hasColors: Bool = false) {
        self.width = width
        self.isUnicode = isUnicode
        self.hasColors = hasColors
    }

    init(_ environment: [String: String], isTerminal: Bool) {
        if let columns = environment["COLUMNS"].flatMap(Int.init), columns > 0 { self.width = Self.sensible(columns) }
        let locale = Self.locale("LC_CTYPE", environment)
        self.isUnicode = locale.lowercased().replacing("-", with: "").contains("utf8")
        self.hasColors = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    /// Whether the user reads Chinese, by the environment's language of messages.
    static var isChinese: Bool {
        self.locale("LC_MESSAGES", ProcessInfo.processInfo.environment).lowercased().hasPrefix("zh")
    }

    /// POSIX 8.2: the first of these that is set and not empty counts.
    private static func locale(_ category: String, _ environment: [String: String]) -> String {
        ["LC_ALL", category, "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    }

    private static func sensible(_ columns: Int) -> Int { min(max(columns, 40), 500) }

    /// In one of the colours 0 to 7; as it is where there are none.
    func colored(_ text: String, _ color: Int?) -> String {
        guard self.hasColors, let color else { return text }
        // Blue, yellow, green, magenta, cyan, red and the bright ones of the first two, which differ in brightness, too.
        let codes = [34, 33, 32, 35, 36, 31, 94, 93]
        return "\u{1B}[\(codes[color % codes.count])m\(text)\u{1B}[0m"
    }
}
