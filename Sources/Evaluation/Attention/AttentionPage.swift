import Inference
import Storage

/// The page that shows all images and maps of a folder.
struct AttentionPage {
    let model: String
    let block: Int
    let threshold: Double
    let entries: [AttentionEntry]

    private static let style = """
        body{font:15px/1.4 system-ui,sans-serif;margin:2em auto;max-width:1500px;padding:0 1em;background:#fff;color:#111}
        h2{font-size:1.05em;margin:2em 0 .3em;word-break:break-all}
        .maps{display:flex;flex-wrap:wrap;gap:8px}figure{margin:0;width:220px}
        img{width:100%;display:block;image-rendering:auto;border-radius:3px}
        figcaption{font-size:.8em;color:#444}p{max-width:60em}
        @media(prefers-color-scheme:dark){body{background:#111;color:#eee}figcaption{color:#aaa}}
        """

    /// The whole page; images are named relative to it.
    var html: String {
        let share = Int((threshold * 100).rounded())
        let sections = entries.map(section).joined(separator: "\n")
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width,initial-scale=1">
            <title>Attention of \(MarkupText.escaped(model))</title><style>\(Self.style)</style></head><body>
            <h1>Attention of \(MarkupText.escaped(model))</h1>
            <p>Block \(block). Bright patches get most of a token's attention; every map has its own colours, from its
            least patch to its largest but two per cent. Masks keep \(share) % of the attention. Rollout follows it from
            the image through all blocks. Features are shown by their three main components as red, green and blue:
            equal colours are equal features, within one image. The class next to a name is that of <code>deit classify</code>:
            of the image as the model's own preprocessing crops it, where maps show the whole image.</p>
            \(sections)
            </body></html>

            """
    }

    private func section(_ entry: AttentionEntry) -> String {
        let shown = entry.files.filter { !$0.name.hasSuffix("-mask") && $0.name != "sheet" }
        // Over the image a map says more than alone; that is one click away.
        let overlays = Set(shown.map(\.name).filter { $0.hasSuffix("-overlay") })
        let figures = shown.filter { !overlays.contains("\($0.name)-overlay") }.map { file in
            let plain = file.name.hasSuffix("-overlay") ? String(file.name.dropLast(8)) : file.name
            let link = entry.files.first { $0.name == plain }?.path ?? file.path
            return
                "<figure><a href=\"\(MarkupText.address(link))\"><img loading=\"lazy\" src=\"\(MarkupText.address(file.path))\" "
                + "alt=\"\(MarkupText.escaped(plain))\"></a><figcaption>\(MarkupText.escaped(plain))</figcaption></figure>"
        }
        let guess = entry.guess.map { guess in
            ": \(MarkupText.escaped(guess.label)), \(guess.scoring.text(guess.score, digits: 0))"
        }
        return """
            <h2>\(MarkupText.escaped(entry.file))\(guess ?? "")</h2>
            <div class="maps">\(figures.joined(separator: "\n"))</div>
            """
    }
}
