#include "views/common/sheet.h"

#include <QBoxLayout>
#include <QPainter>

namespace foundry::views {

Sheet::Sheet(ThemeProvider *theme, const QString &title, int width, QWidget *parent)
    : QDialog(parent)
    , m_theme(theme)
    , m_content(new QVBoxLayout)
    , m_buttons(new QHBoxLayout)
    , m_note(new Label(theme, TextStyle::Small, &Colors::textFaint))
{
    setWindowTitle(title);
    setAccessibleName(title);
    setWindowModality(Qt::WindowModal);
    setAttribute(Qt::WA_DeleteOnClose);
    setFixedWidth(width);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(Space::l, Space::l - 4, Space::l, Space::m + 4);
    layout->setSpacing(Space::m);
    layout->addWidget(new Label(theme, TextStyle::Heading, &Colors::text, title));
    m_content->setSpacing(Space::m);
    layout->addLayout(m_content, 1);
    m_buttons->setSpacing(Space::s);
    m_note->setWordWrap(true);
    m_buttons->addWidget(m_note, 1);
    layout->addSpacing(Space::xs);
    layout->addLayout(m_buttons);
    connect(theme, &ThemeProvider::changed, this, qOverload<>(&QWidget::update));
}

void Sheet::addButton(QPushButton *button)
{
    m_buttons->addWidget(button, 0, Qt::AlignBottom);
}

void Sheet::setNote(const QString &note, ColorToken color)
{
    m_note->setColorToken(color);
    m_note->setText(note);
}

void Sheet::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.fillRect(rect(), m_theme->colors().popover);
    painter.setPen(m_theme->colors().border);
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

void Sheet::addField(const QString &caption, QWidget *field, QVBoxLayout *into)
{
    auto *column = new QVBoxLayout;
    column->setSpacing(6);
    auto *label = new Label(m_theme, TextStyle::SmallMedium, &Colors::textMuted, caption);
    label->setBuddy(field);
    if (field->accessibleName().isEmpty())
        field->setAccessibleName(caption);
    column->addWidget(label);
    column->addWidget(field);
    (into ? into : m_content)->addLayout(column);
}

} // namespace foundry::views
