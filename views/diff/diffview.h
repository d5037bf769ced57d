// The tab of one file's diff: path, counts, the way from change to change, and the lines. Loading, binary, error and empty
// are states of it. It asks for the next page by itself until there is none. GUI thread.
#pragma once

#include "models/types/changes.h"
#include "models/types/result.h"

#include <QTimer>
#include <QWidget>

class QStackedLayout;

namespace foundry::views {

class AsOfLabel;
class Button;
class CodeHighlighter;
class DiffCanvas;
class IconButton;
class Label;
class ThemeProvider;

class DiffView : public QWidget {
    Q_OBJECT
public:
    DiffView(ThemeProvider *theme, CodeHighlighter *highlighter, QWidget *parent = nullptr);

    QString path() const { return m_path; }
    ChangeScope scope() const { return m_scope; }
    DiffCanvas *canvas() const { return m_canvas; }

    // Shows "loading" and asks for the first page. Called again: the same file, read anew.
    void load(const QString &path, ChangeScope scope);
    void setPage(const Result<DiffPage> &page);
    // Without a link a kept copy is shown with its time, or that there is none; both are read anew when the link is back.
    void setConnected(bool connected);

Q_SIGNALS:
    void pageRequested(const QString &path, foundry::ChangeScope scope, const QString &cursor);

protected:
    void focusInEvent(QFocusEvent *event) override;

private:
    void say(const QString &title, const QString &detail, bool canRetry);
    void updateHeader();
    void sayIfAbsent();

    ThemeProvider *m_theme;
    QString m_path;
    ChangeScope m_scope = ChangeScope::Committed;
    bool m_fresh = true; // the next page is the first one
    bool m_connected = true;
    bool m_waiting = false; // no page of it has come yet
    Millis m_keptAt = 0;    // it is a copy from then
    QTimer m_patience;
    int m_change = 0;

    Label *m_name = nullptr;
    Label *m_folder = nullptr;
    Label *m_added = nullptr;
    Label *m_removed = nullptr;
    AsOfLabel *m_asOf = nullptr;
    Label *m_where = nullptr;
    IconButton *m_previous = nullptr;
    IconButton *m_next = nullptr;
    QStackedLayout *m_stack = nullptr;
    DiffCanvas *m_canvas = nullptr;
    Label *m_title = nullptr;
    Label *m_detail = nullptr;
    Button *m_retry = nullptr;
};

} // namespace foundry::views
