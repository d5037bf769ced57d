#include "views/common/linkbanner.h"

#include "views/common/linkwords.h"
#include "views/common/minuteclock.h"

#include <QBoxLayout>
#include <QPainter>
#include <QPlainTextEdit>
#include <QTimer>

namespace foundry::views {

LinkBanner::LinkBanner(ThemeProvider *theme, MinuteClock *clock, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_clock(clock)
    , m_icon(new IconLabel(theme, Icon::CircleAlert, &Colors::amber))
    , m_title(new Label(theme, TextStyle::ListSemiBold, &Colors::text))
    , m_text(new Label(theme, TextStyle::List, &Colors::textMuted))
    , m_retry(new Button(theme, Icon::Refresh, tr("Try now")))
    , m_more(new Button(theme, tr("Details"), ButtonLook::Ghost))
    , m_dismiss(new IconButton(theme, Icon::X, tr("Dismiss")))
    , m_detail(new QPlainTextEdit)
    , m_countdown(new QTimer(this))
{
    auto *row = new QHBoxLayout;
    row->setSpacing(Space::s);
    row->addWidget(m_icon, 0, Qt::AlignTop);
    auto *words = new QVBoxLayout;
    words->setSpacing(2);
    words->addWidget(m_title);
    words->addWidget(m_text);
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    row->addLayout(words, 1);
    for (Button *button : {m_more, m_retry}) {
        button->setSmall(true);
        row->addWidget(button, 0, Qt::AlignTop);
    }
    m_dismiss->setExtent(24);
    row->addWidget(m_dismiss, 0, Qt::AlignTop);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(Space::m, Space::s + 2, Space::s, Space::s + 2);
    layout->addLayout(row);
    m_detail->setReadOnly(true);
    m_detail->setProperty("field", true);
    m_detail->setAccessibleName(tr("Details"));
    m_detail->setFixedHeight(152);
    m_detail->setFont(theme->font(TextStyle::MonoSmall));
    layout->addWidget(m_detail);
    m_detail->hide();

    m_countdown->setInterval(1000);
    connect(m_countdown, &QTimer::timeout, this, [this] {
        refresh();
        Q_EMIT counted();
    });
    connect(m_retry, &QPushButton::clicked, this, &LinkBanner::retryRequested);
    connect(m_more, &QPushButton::clicked, this, &LinkBanner::toggleDetail);
    connect(m_dismiss, &QToolButton::clicked, this, [this] {
        m_error.reset();
        refresh();
    });
    connect(theme, &ThemeProvider::changed, this, qOverload<>(&QWidget::update));
    refresh();
}

void LinkBanner::setLinkState(const LinkState &state)
{
    const bool failedNow = state.phase == LinkPhase::HostFailed && m_link.phase != LinkPhase::HostFailed;
    m_link = state;
    refresh();
    // Why a host did not start is what the user needs to see, without a click.
    if (failedNow && !m_error)
        m_detail->setVisible(!m_detail->toPlainText().isEmpty());
}

void LinkBanner::showError(const Error &error)
{
    m_error = error;
    refresh();
}

void LinkBanner::refresh()
{
    const bool linkIll = m_link.phase == LinkPhase::Reconnecting || m_link.phase == LinkPhase::Offline
        || m_link.phase == LinkPhase::Refused || m_link.phase == LinkPhase::HostFailed;
    const bool counting = linkIll && m_link.retryAt > m_clock->now();
    if (counting && !m_countdown->isActive())
        m_countdown->start();
    else if (!counting)
        m_countdown->stop();
    if (!linkIll && !m_error) {
        m_detail->hide();
        hide();
        return;
    }
    QString detail;
    if (m_error) {
        m_icon->set(Icon::CircleAlert, &Colors::red);
        m_title->setText(m_error->message);
        m_text->setText(m_error->action);
        detail = m_error->detail;
    } else {
        const StateLook look = lookOf(m_link, m_clock->now());
        m_icon->set(look.icon, look.color);
        m_title->setText(look.word);
        m_text->setText(linkSentence(m_link));
        detail = m_link.hostLog.isEmpty() && m_link.error ? m_link.error->detail : m_link.hostLog;
    }
    m_text->setVisible(!m_text->text().isEmpty());
    m_dismiss->setVisible(m_error.has_value());
    m_retry->setVisible(!m_error);
    m_retry->setText(m_link.phase == LinkPhase::HostFailed ? tr("Start again") : tr("Try now"));
    m_more->setVisible(!detail.isEmpty());
    m_more->setText(m_error || m_link.hostLog.isEmpty() ? tr("Details") : tr("Log"));
    if (m_detail->toPlainText() != detail)
        m_detail->setPlainText(detail);
    if (detail.isEmpty())
        m_detail->hide();
    setAccessibleName(m_title->text() + QLatin1Char(' ') + m_text->text());
    show();
    update();
}

void LinkBanner::toggleDetail()
{
    m_detail->setVisible(m_detail->isHidden());
}

void LinkBanner::paintEvent(QPaintEvent *)
{
    const Colors &c = m_theme->colors();
    const bool red = m_error || m_link.phase == LinkPhase::HostFailed || m_link.phase == LinkPhase::Refused;
    QPainter painter(this);
    painter.fillRect(rect(), red ? c.redWash : c.amberWash);
    painter.fillRect(QRect(0, height() - 1, width(), 1), c.hairline);
}

} // namespace foundry::views
