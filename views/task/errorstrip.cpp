#include "views/task/errorstrip.h"

#include "views/common/controls.h"

#include <QBoxLayout>

namespace foundry::views {

ErrorStrip::ErrorStrip(ThemeProvider *theme, QWidget *parent)
    : QWidget(parent)
{
    auto *page = new QVBoxLayout(this);
    page->setContentsMargins(0, 0, 0, 8);
    m_card = new Surface(theme, &Colors::redWash, this);
    m_card->setCard(&Colors::hairline);
    page->addWidget(m_card);
    auto *row = new QHBoxLayout(m_card);
    row->setContentsMargins(14, 10, 8, 10);
    row->setSpacing(10);
    m_icon = new IconLabel(theme, Icon::CircleAlert, &Colors::red, Space::icon, m_card);
    row->addWidget(m_icon, 0, Qt::AlignTop);
    auto *column = new QVBoxLayout;
    column->setSpacing(2);
    m_title = new Label(theme, TextStyle::ListMedium, &Colors::text, {}, m_card);
    m_title->setWordWrap(true);
    m_detail = new Label(theme, TextStyle::Small, &Colors::textMuted, {}, m_card);
    m_detail->setWordWrap(true);
    column->addWidget(m_title);
    column->addWidget(m_detail);
    row->addLayout(column, 1);
    m_action = new Button(theme, QString(), ButtonLook::Plain, m_card);
    m_action->setSmall(true);
    row->addWidget(m_action, 0, Qt::AlignTop);
    m_dismiss = new IconButton(theme, Icon::X, tr("Dismiss"), m_card);
    m_dismiss->setExtent(24);
    row->addWidget(m_dismiss, 0, Qt::AlignTop);
    connect(m_action, &Button::clicked, this, [this] { Q_EMIT actionTriggered(m_key); });
    connect(m_dismiss, &IconButton::clicked, this, [this] {
        m_dismissed = m_key + m_title->text();
        hide();
    });
    QWidget::hide();
}

void ErrorStrip::show(const QString &key, const Error &error, const QString &actionLabel)
{
    QString detail = error.action;
    if (!error.detail.isEmpty())
        detail += (detail.isEmpty() ? QString() : QStringLiteral("\n")) + error.detail.right(600);
    present(key, error.message, detail, actionLabel, true);
}

void ErrorStrip::showNotice(const QString &key, const QString &title, const QString &detail, const QString &actionLabel)
{
    present(key, title, detail, actionLabel, false);
}

void ErrorStrip::present(const QString &key, const QString &title, const QString &detail, const QString &actionLabel,
    bool error)
{
    if (m_dismissed == key + title)
        return;
    m_key = key;
    m_card->setFill(error ? &Colors::redWash : &Colors::amberWash);
    m_icon->set(error ? Icon::CircleAlert : Icon::TriangleAlert, error ? &Colors::red : &Colors::amber);
    m_title->setText(title);
    m_detail->setText(detail);
    m_detail->setVisible(!detail.isEmpty());
    m_action->setText(actionLabel);
    m_action->setVisible(!actionLabel.isEmpty());
    setAccessibleName(title);
    QWidget::show();
}

void ErrorStrip::setActionBlocked(const QString &reason)
{
    m_action->setEnabled(reason.isEmpty());
    m_action->setToolTip(reason);
}

void ErrorStrip::clear(const QString &key)
{
    if (m_key == key)
        clearAll();
    if (m_dismissed.startsWith(key))
        m_dismissed.clear();
}

void ErrorStrip::clearAll()
{
    m_key.clear();
    QWidget::hide();
}

} // namespace foundry::views
