// A long text as a tab: a stage's log, the whole output of a tool. Read only, selectable, searched by the platform's own
// means. Loading and error are states of it. GUI thread.
#pragma once

#include "models/types/result.h"

#include <QWidget>

class QPlainTextEdit;

namespace foundry::views {

class Label;
class ThemeProvider;

class TextTab : public QWidget {
    Q_OBJECT
public:
    TextTab(ThemeProvider *theme, const QString &title, QWidget *parent = nullptr);

    // `why`: it will take longer.
    void setLoading(const QString &why = {});
    void setText(const Result<QString> &text);

private:
    void refresh();

    ThemeProvider *m_theme;
    Label *m_state;
    QPlainTextEdit *m_text;
};

} // namespace foundry::views
