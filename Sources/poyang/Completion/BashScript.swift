// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The completion script for bash.
///
/// ArgumentParser's own hands what `poyang` offers to `compgen -W`, which expands it as the shell does: quotes in a
/// query were lost, and a label value such as `$(…)` would be run. Here the words are taken as they are.
enum BashScript {
    /// The script that the arguments ask for; nil where they ask for something else.
    static func asked(by arguments: [String]) -> String? {
        let name = "--generate-completion-script"
        guard arguments == [name, "bash"] || arguments == ["\(name)=bash"] else { return nil }
        return self.literal(Poyang.completionScript(for: .bash))
    }

    /// Replaces the calls for custom completions in a generated script.
    static func literal(_ script: String) -> String {
        let call = #/__poyang_add_completions -W "\$\((__poyang_custom_complete .*)\)"$/#.anchorsMatchLineEndings()
        let body = script.replacing(call) { "__poyang_add_literally < <(\($0.1))" }
        let function = """
            # Adds the lines of standard input that begin as the current word does, as they are.
            __poyang_add_literally() {
                local completion
                while IFS='' read -r completion; do
                    [[ -n "${completion}" && "${completion}" = "${cur}"* ]] && COMPREPLY+=("${completion}")
                done
                # They are no file names, and the query may go on behind them.
                compopt +o filenames -o nospace 2>/dev/null
                true
            }


            """
        guard let start = body.firstRange(of: "_poyang() {")?.lowerBound else { return body }
        return body[..<start] + function + body[start...]
    }
}
