#include "views/common/icons.h"

#include <QFile>
#include <QPainter>
#include <QSvgRenderer>

namespace foundry::views {

namespace {

// In the order of enum class Icon.
constexpr QLatin1StringView iconsFileNames[] = {QLatin1StringView("activity"), QLatin1StringView("archive"),
    QLatin1StringView("arrow-down"), QLatin1StringView("arrow-up"), QLatin1StringView("at-sign"),
    QLatin1StringView("bell"), QLatin1StringView("layout-dashboard"), QLatin1StringView("book-open"),
    QLatin1StringView("bot"), QLatin1StringView("brain"), QLatin1StringView("check"),
    QLatin1StringView("chevron-down"), QLatin1StringView("chevron-left"), QLatin1StringView("chevron-right"),
    QLatin1StringView("chevron-up"), QLatin1StringView("chevrons-up-down"), QLatin1StringView("circle"),
    QLatin1StringView("circle-alert"), QLatin1StringView("circle-check"), QLatin1StringView("circle-dashed"),
    QLatin1StringView("circle-dot"), QLatin1StringView("circle-pause"), QLatin1StringView("circle-question-mark"),
    QLatin1StringView("circle-stop"), QLatin1StringView("circle-x"), QLatin1StringView("clock"),
    QLatin1StringView("cloud-off"), QLatin1StringView("columns-2"), QLatin1StringView("copy"),
    QLatin1StringView("corner-down-left"), QLatin1StringView("cpu"), QLatin1StringView("dot"),
    QLatin1StringView("download"), QLatin1StringView("ellipsis"), QLatin1StringView("external-link"),
    QLatin1StringView("eye"), QLatin1StringView("file"), QLatin1StringView("file-diff"),
    QLatin1StringView("file-minus"), QLatin1StringView("file-plus"), QLatin1StringView("file-text"),
    QLatin1StringView("funnel"), QLatin1StringView("fold-vertical"), QLatin1StringView("folder"),
    QLatin1StringView("folder-git-2"), QLatin1StringView("folder-open"), QLatin1StringView("folder-plus"),
    QLatin1StringView("git-branch"), QLatin1StringView("git-commit-horizontal"), QLatin1StringView("git-merge"),
    QLatin1StringView("git-pull-request"), QLatin1StringView("globe"), QLatin1StringView("hard-drive"),
    QLatin1StringView("history"), QLatin1StringView("house"), QLatin1StringView("image"), QLatin1StringView("inbox"),
    QLatin1StringView("info"), QLatin1StringView("key"), QLatin1StringView("link"), QLatin1StringView("list-checks"),
    QLatin1StringView("list-todo"), QLatin1StringView("list-tree"), QLatin1StringView("loader-circle"),
    QLatin1StringView("lock"), QLatin1StringView("log-in"), QLatin1StringView("mail"), QLatin1StringView("mail-open"),
    QLatin1StringView("message-square"), QLatin1StringView("minus"), QLatin1StringView("monitor"),
    QLatin1StringView("moon"), QLatin1StringView("move"), QLatin1StringView("panel-left"),
    QLatin1StringView("panel-right"), QLatin1StringView("paperclip"), QLatin1StringView("pencil"),
    QLatin1StringView("play"), QLatin1StringView("plug"), QLatin1StringView("plus"), QLatin1StringView("refresh-cw"),
    QLatin1StringView("rotate-ccw"), QLatin1StringView("rows-2"), QLatin1StringView("search"),
    QLatin1StringView("server"), QLatin1StringView("settings"), QLatin1StringView("shield-check"),
    QLatin1StringView("shield-question-mark"), QLatin1StringView("slash"), QLatin1StringView("sliders-horizontal"),
    QLatin1StringView("square"), QLatin1StringView("sun"), QLatin1StringView("terminal"), QLatin1StringView("trash-2"),
    QLatin1StringView("triangle-alert"), QLatin1StringView("undo-2"), QLatin1StringView("unfold-vertical"),
    QLatin1StringView("user"), QLatin1StringView("wifi-off"), QLatin1StringView("wrench"), QLatin1StringView("x"),
    QLatin1StringView("zap")};
static_assert(std::size(iconsFileNames) == size_t(Icon::Zap) + 1);

QPixmap iconsRender(Icon icon, const QColor &color, int size, qreal devicePixelRatio)
{
    QFile file(Icons::resourcePath(icon));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    QByteArray svg = file.readAll();
    // Lucide draws in a box of 24 with a stroke of 2; ours is 1.5 px at 16 px, whatever the size.
    const double stroke = 1.5 * 24.0 / size;
    svg.replace(QByteArrayLiteral("stroke-width=\"2\""),
        QByteArrayLiteral("stroke-width=\"") + QByteArray::number(stroke, 'f', 3) + '"');
    svg.replace(QByteArrayLiteral("currentColor"), color.name(QColor::HexRgb).toLatin1());
    QSvgRenderer renderer(svg);
    const int pixels = qRound(size * devicePixelRatio);
    QPixmap pixmap(pixels, pixels);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setOpacity(color.alphaF());
    renderer.render(&painter, QRectF(0, 0, pixels, pixels));
    painter.end();
    pixmap.setDevicePixelRatio(devicePixelRatio);
    return pixmap;
}

} // namespace

QString Icons::resourcePath(Icon icon)
{
    return QStringLiteral(":/icons/lucide/") + iconsFileNames[size_t(icon)] + QStringLiteral(".svg");
}

QPixmap Icons::pixmap(Icon icon, const QColor &color, int size, qreal devicePixelRatio)
{
    const quint64 key = quint64(color.rgba()) | (quint64(icon) << 32) | (quint64(size & 0xff) << 40)
        | (quint64(qRound(devicePixelRatio * 100) & 0xffff) << 48);
    auto found = m_cache.find(key);
    if (found == m_cache.end())
        found = m_cache.insert(key, iconsRender(icon, color, size, devicePixelRatio));
    return *found;
}

void Icons::paint(QPainter *painter, const QRect &rect, Icon icon, const QColor &color)
{
    const int size = qMin(rect.width(), rect.height());
    const QPixmap shown = pixmap(icon, color, size, painter->device()->devicePixelRatioF());
    painter->drawPixmap(rect.x() + (rect.width() - size) / 2, rect.y() + (rect.height() - size) / 2, shown);
}

QIcon Icons::icon(Icon icon, const QColor &color, const QColor &disabled, int size)
{
    QIcon result;
    for (const qreal ratio : {1.0, 2.0}) {
        result.addPixmap(pixmap(icon, color, size, ratio));
        if (disabled.isValid())
            result.addPixmap(pixmap(icon, disabled, size, ratio), QIcon::Disabled);
    }
    return result;
}

} // namespace foundry::views
