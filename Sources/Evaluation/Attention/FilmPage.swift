import Storage

/// The page that plays the frames of a sequence, all kinds of images side by side.
struct FilmPage {
    let model: String
    let entries: [AttentionEntry]

    private static let script = """
        const frames=Number(document.body.dataset.frames),slider=document.querySelector('input');
        let playing=false;
        function show(n){slider.value=n;document.querySelector('output').value=n;
        for(const i of document.images)i.src=i.dataset.kind+'/'+String(n).padStart(6,'0')+'.png';}
        slider.oninput=()=>show(Number(slider.value));
        document.querySelector('button').onclick=e=>{playing=!playing;e.target.textContent=playing?'Stop':'Play';};
        setInterval(()=>{if(playing)show(Number(slider.value)%frames+1);},100);
        """

    /// The whole page; images are named relative to it.
    var html: String {
        let kinds = (entries.first?.files ?? []).map(\.name)
        let overlays = Set(kinds.filter { $0.hasSuffix("-overlay") })
        let shown = kinds.filter { !$0.hasSuffix("-mask") && !overlays.contains("\($0)-overlay") }
        let figures = shown.map { kind in
            let (address, name) = (MarkupText.address(kind), MarkupText.escaped(kind))
            return
                "<figure><img data-kind=\"\(address)\" src=\"\(address)/000001.png\" alt=\"\(name)\">"
                + "<figcaption>\(name)</figcaption></figure>"
        }
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width,initial-scale=1">
            <title>Attention of \(MarkupText.escaped(model))</title><style>
            body{font:15px/1.4 system-ui,sans-serif;margin:2em auto;max-width:1500px;padding:0 1em}
            .maps{display:flex;flex-wrap:wrap;gap:8px}figure{margin:0;width:340px}img{width:100%;display:block}
            figcaption{font-size:.8em;color:#444}input{width:60%}
            </style></head><body data-frames="\(entries.count)">
            <h1>Attention of \(MarkupText.escaped(model)) in \(entries.count) frames</h1>
            <p><button>Play</button> <input type="range" min="1" max="\(entries.count)" value="1" aria-label="frame">
            <output>1</output></p>
            <div class="maps">\(figures.joined(separator: "\n"))</div>
            <script>\(Self.script)</script>
            </body></html>

            """
    }
}
