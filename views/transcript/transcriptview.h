// The transcript: a virtualised list of entries that paints itself. Only entries near the viewport are laid out; the
// heights of the others are estimates in a HeightTree. The first visible entry and its offset are the truth of the scroll
// place, so what is under the reader's eye does not move when estimates become exact, older entries arrive or text
// streams in below. At the bottom it follows; elsewhere a pill says that there is something new. GUI thread.
#pragma once

#include "models/transcriptmodel.h"
#include "views/transcript/entrylayout.h"
#include "views/transcript/heighttree.h"

#include <QAbstractScrollArea>
#include <QElapsedTimer>
#include <QHash>
#include <QPointer>
#include <QTimer>
#include <QUrl>

class QPushButton;

namespace foundry::views {

class CodeHighlighter;
class ThemeProvider;

class TranscriptView : public QAbstractScrollArea {
    Q_OBJECT
public:
    // Where text is selected or pointed at: an entry by its index, a piece of it, a character.
    struct Place {
        qint64 entry = -1;
        int piece = 0;
        int character = 0;
        friend auto operator<=>(const Place &, const Place &) = default; // NOLINT(modernize-use-nullptr): clang-tidy 14 takes it for a 0
    };
    struct HotRef {
        qint64 entry = -1;
        int hot = -1;
        friend bool operator==(const HotRef &, const HotRef &) = default;
    };
    struct Visible {
        int row = 0;
        int y = 0; // in the viewport
    };

    TranscriptView(ThemeProvider *theme, CodeHighlighter *highlighter, QWidget *parent = nullptr);
    ~TranscriptView() override;

    // Null: not there yet. The scroll place and the folds of a session are kept by its id.
    void setTranscript(const SessionId &session, TranscriptModel *transcript);
    TranscriptModel *transcript() const { return m_model; }
    // What stands in the middle while there are no entries.
    void setEmptyText(const QString &title, const QString &detail);
    // The widest its column of text gets, pixels: what stands above and below lines up with it.
    static int widestColumn(const ThemeProvider &theme);

    // Paths in it are shown without it; empty: unknown.
    void setWorkTree(const QString &path);

    void revealEntry(qint64 index);
    void scrollToBottom();
    bool isAtBottom() const { return m_follow; }
    void selectAll();
    bool hasSelection() const { return m_selectionFrom != m_selectionTo; }
    QString selectedText();

    // For tests and assistive technology.
    const QList<Visible> &visibleEntries() const { return m_visible; }
    int anchorRow() const { return m_anchorRow; }
    int anchorOffset() const { return m_anchorOffset; }
    int laidOutCount() const { return int(m_layouts.size()); }
    int entryHeight(int row) const { return m_heights.height(row); }
    QRect entryRect(int row) const; // in the viewport; empty when it is not visible
    const HotArea *hotArea(const HotRef &ref) const;
    bool activateHot(const HotRef &ref);
    HotRef focusedHot() const { return m_focusHot; }
    // Settles at once what waits for the next frame.
    void flush();

Q_SIGNALS:
    void permissionAnswered(const QString &requestId, const QString &optionId);
    void linkActivated(const QUrl &url);
    void blobRequested(const foundry::BlobRef &blob);
    void textRequested(const QString &title, const QString &text); // shown as a tab

protected:
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void wheelEvent(QWheelEvent *event) override;
    void scrollContentsBy(int dx, int dy) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void contextMenuEvent(QContextMenuEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    bool focusNextPrevChild(bool next) override;
    void focusOutEvent(QFocusEvent *event) override;
    bool viewportEvent(QEvent *event) override;

private:
    struct Kept { // a session's view state
        qint64 anchorEntry = -1;
        int anchorOffset = 0;
        bool follow = true;
        QHash<QString, bool> folds;
    };

    static constexpr int topPad = 24; // pixels above the first entry

    // transcriptview.cpp: the model
    void connectModel();
    void rebuild();
    void keepState();
    void insertRows(int first, int last);
    void removeRows(int first, int last);
    void changeRows(int first, int last);
    void dropLayouts();
    void scheduleFrame();

    // transcriptgeometry.cpp
    const EntryLayout &layoutOf(int row);
    void settle();
    void settleFromBottom();
    void settleFromAnchor();
    void updateScrollBar();
    void scrollByPixels(int dy);
    void trimLayouts();
    void updatePill();
    int columnWidth() const;
    int columnLeft() const;
    EntryStyle entryStyle();

    // transcriptpaint.cpp
    void paintEntry(QPainter &painter, const Visible &visible, const QRect &clip);
    void paintHot(QPainter &painter, const HotArea &area, const HotRef &ref);
    void paintSelection(QPainter &painter, const TextPiece &piece, int from, int to);
    void paintEmpty(QPainter &painter);

    // transcriptinput.cpp
    Place placeAt(const QPoint &point);
    HotRef hotAt(const QPoint &point) const;
    void setHover(const HotRef &ref);
    void copySelection();
    void selectWord(const Place &place);
    void revealHot(const HotRef &ref);
    QString textBetween(const TranscriptEntry &entry, const EntryLayout &layout, Place from, Place to) const;

    ThemeProvider *m_theme;
    CodeHighlighter *m_highlighter;
    QPointer<TranscriptModel> m_model;
    SessionId m_session;
    QHash<SessionId, Kept> m_kept;
    QHash<QString, bool> m_folds; // "entry/part" → unfolded, where the user has said so

    HeightTree m_heights;
    QHash<qint64, EntryLayout> m_layouts; // by entry index
    QList<Visible> m_visible;
    int m_anchorRow = 0;
    int m_anchorOffset = 0; // pixels of the anchor row above the viewport; negative in the top padding
    bool m_follow = true;
    bool m_newBelow = false;
    bool m_settling = false;

    Place m_selectionFrom; // where it was begun
    Place m_selectionTo;
    bool m_selecting = false;
    HotRef m_hover;
    HotRef m_pressed;
    HotRef m_focusHot;
    HotRef m_copied; // shows "Copied" for a moment

    QTimer m_frame;
    QTimer m_copiedTimer;
    QElapsedTimer m_lastFrame;
    QPushButton *m_pill = nullptr;
    QString m_workTree; // with a slash at its end
    QString m_emptyTitle;
    QString m_emptyDetail;
};

} // namespace foundry::views
