#include "views/common/emptystate.h"

#include <QBoxLayout>

namespace foundry::views {

EmptyState::EmptyState(ThemeProvider *theme, Icon icon, const QString &heading, const QString &sentence, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_icon(new IconLabel(theme, icon, &Colors::textFaint, 24))
    , m_heading(new Label(theme, TextStyle::ReadingSemiBold, &Colors::text, heading))
    , m_sentence(new Label(theme, TextStyle::List, &Colors::textMuted, sentence))
{
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(Space::l, Space::l, Space::l, Space::l);
    layout->setSpacing(Space::s);
    layout->addStretch(2);
    layout->addWidget(m_icon, 0, Qt::AlignHCenter);
    layout->addSpacing(Space::xs);
    layout->addWidget(m_heading, 0, Qt::AlignHCenter);
    m_sentence->setWordWrap(true);
    m_sentence->setAlignment(Qt::AlignHCenter | Qt::AlignTop);
    layout->addWidget(m_sentence);
    layout->addStretch(3);
}

void EmptyState::set(Icon icon, const QString &heading, const QString &sentence)
{
    m_icon->set(icon, &Colors::textFaint);
    m_heading->setText(heading);
    m_sentence->setText(sentence);
}

Button *EmptyState::addAction(const QString &text, ButtonLook look)
{
    auto *button = new Button(m_theme, text, look);
    auto *column = static_cast<QVBoxLayout *>(layout());
    column->insertSpacing(column->count() - 1, Space::xs);
    column->insertWidget(column->count() - 1, button, 0, Qt::AlignHCenter);
    return button;
}

} // namespace foundry::views
