// One transcript entry laid out: what to paint, what can be selected, what can be clicked, all in pixels relative to the
// entry's top left. Made by layOutEntry() for one width and one theme; thrown away when any of them changes.
#pragma once

#include "models/transcriptmodel.h"
#include "views/common/icons.h"
#include "views/common/theme.h"

#include <QHash>
#include <QList>
#include <QRectF>
#include <QTextLayout>
#include <functional>
#include <memory>

namespace foundry::views {

class CodeHighlighter;

struct TextLink {
    int start = 0;
    int length = 0;
    QString target;
};

struct TextPiece {
    std::shared_ptr<QTextLayout> layout; // its text has QChar::LineSeparator for line breaks
    QPointF at;
    QSizeF size;
    QColor color;
    QList<TextLink> links;
    QString lead; // what stands before it when it is copied after the piece before
    bool selectable = true;
};

struct BoxPiece {
    QRectF rect;
    QColor fill;   // invalid: none
    QColor border; // invalid: none; 1 px
    qreal radius = 0;
};

struct IconPiece {
    QRect rect;
    Icon icon;
    QColor color;
};

enum class HotKind { Fold, CopyCode, Answer, Link, ShowBlob, ShowText, ShowAll };
enum class HotLook { Invisible, Row, Ghost, Button, Primary };

// A place that reacts to the pointer and to the keyboard.
struct HotArea {
    QRectF rect;
    HotKind kind = HotKind::Fold;
    HotLook look = HotLook::Invisible;
    QString value; // the part to fold, the code, the option's id, the link, the blob's id, the text
    QString label; // painted for buttons
    QString name;  // for assistive technology
    std::optional<Icon> icon = {};
};

struct EntryLayout {
    int height = 0;
    QList<BoxPiece> boxes;
    QList<IconPiece> icons;
    QList<TextPiece> texts;
    QList<HotArea> hots;
    QStringList codeSlots; // colours of these places were not final when it was laid out
};

// What a layout depends on beside the entry.
struct EntryStyle {
    const Theme *theme = nullptr;
    CodeHighlighter *highlighter = nullptr; // may be null: plain code
    QString slotPrefix;                     // of this view's places in the highlighter
    QString workTree;                       // with a slash at its end: taken off paths; may be empty
    int width = 600;                        // of the text column
    // Whether a part of the entry is unfolded; `byDefault` when the user has not said.
    std::function<bool(const QString &part, bool byDefault)> unfolded;
};

// `previous`: the entry before it, for the gap between them and for a code block that goes on; null for the first.
EntryLayout layOutEntry(const TranscriptEntry &entry, const TranscriptEntry *previous, const EntryStyle &style);

// A height to go on with until the entry is laid out. Costs next to nothing.
int estimateEntryHeight(const TranscriptEntry &entry, int width);

} // namespace foundry::views
