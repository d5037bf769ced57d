// What a region says when there is nothing in it: a glyph, a heading, a sentence and, often, the way on.
#pragma once

#include "views/common/controls.h"

namespace foundry::views {

class EmptyState : public QWidget {
    Q_OBJECT
public:
    EmptyState(ThemeProvider *theme, Icon icon, const QString &heading, const QString &sentence,
        QWidget *parent = nullptr);

    void set(Icon icon, const QString &heading, const QString &sentence);
    // Shows a button below; returns it, the region owns it.
    Button *addAction(const QString &text, ButtonLook look = ButtonLook::Primary);

private:
    ThemeProvider *m_theme;
    IconLabel *m_icon;
    Label *m_heading;
    Label *m_sentence;
};

} // namespace foundry::views
