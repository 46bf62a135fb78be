import type { Target } from './mapping.ts'

/** What follows the word for a thing in the name of a column that holds its id. */
const idEndings = ['id', '', 'no', 'nr', 'number', 'num', 'key', 'code', 'uuid', 'guid', 'hash']

/** `item` → `itemid`, `item`, `itemno`, … */
function idNames(things: readonly string[]): readonly string[] {
  return things.flatMap((thing) => idEndings.map((ending) => thing + ending))
}

const users = ['user', 'visitor', 'customer', 'member', 'account', 'reviewer', 'profile', 'client', 'shopper', 'buyer']
const moreUsers = ['reader', 'viewer', 'listener', 'subscriber', 'consumer', 'person', 'player', 'patron', 'guest']
const otherUsers = ['learner', 'student', 'cust', 'usr', 'household', 'fullvisitor', 'anonymous', 'distinct', 'cookie']
const exactUsers = ['uid', 'msno', 'userpseudoid', 'username', 'deviceid']

const pins = ['pin', 'item', 'movie', 'product', 'article', 'content', 'post', 'book', 'track', 'song', 'video', 'news']
const morePins = ['recipe', 'listing', 'sku', 'asin', 'isbn', 'film', 'episode', 'podcast', 'game', 'app', 'business']
const otherPins = [
  'venue',
  'restaurant',
  'hotel',
  'poi',
  'course',
  'offer',
  'photo',
  'asset',
  'document',
  'doc',
  'story',
]
const lastPins = ['stock', 'anime', 'joke', 'clip', 'dish', 'artwork', 'entity', 'object', 'prod', 'ean', 'upc', 'gtin']
const exactPins = ['pid', 'iid', 'nid']
const pinNames = [...idNames([...pins, ...morePins, ...otherPins, ...lastPins]), ...exactPins]

const times = ['occurredat', 'timestamp', 'time', 'ts', 'eventtime', 'datetime', 'date', 'createdat', 'at', 'when']
const verbs = ['rated', 'clicked', 'viewed', 'purchased', 'ordered', 'watched', 'read', 'played', 'listened', 'saved']
const dated = ['event', 'purchase', 'order', 'invoice', 'review', 'click', 'view', 'visit', 'transaction', 'created']
const moreTimes = [
  'unixreviewtime',
  'timestampms',
  'timestamputc',
  'unixtime',
  'unixtimestamp',
  'epoch',
  'tstamp',
  'tdat',
]
const lastTimes = ['createdon', 'createtime', 'utctime', 'datetimeutc', 'servertime', 'dt', 'day']

/** Column names that mean a field, in lower case without spaces, hyphens and underscores. The earliest name in a list wins. */
export const namesOf: Readonly<Record<Target, Readonly<Record<string, readonly string[]>>>> = {
  engagements: {
    eventId: ['eventid', 'eventuuid'],
    userId: [...idNames([...users, ...moreUsers, ...otherUsers]), ...exactUsers],
    sessionId: ['sessionid', 'session', 'visitid', 'sessid', 'sessionkey', 'sessionhash'],
    action: [
      'action',
      'event',
      'eventtype',
      'eventname',
      'behavior',
      'behaviour',
      'behaviortype',
      'interaction',
    ].concat([
      ...['interactiontype', 'eventaction', 'actiontype', 'activity', 'activitytype', 'useraction', 'operation'],
    ]),
    pinId: pinNames,
    boardId: ['boardid', 'board', 'playlistid', 'collectionid', 'listid'],
    creatorId: ['creatorid'],
    topicId: ['topicid'],
    occurredAt: [
      ...[...times, ...verbs.flatMap((verb) => [`${verb}at`, `${verb}on`])],
      ...dated.flatMap((what) => [`${what}date`, `${what}time`, `${what}timestamp`, `${what}ts`, `${what}datetime`]),
      ...[...moreTimes, ...lastTimes],
    ],
    feedId: ['feedid'],
    position: ['position', 'rank'],
    surface: ['surface'],
    dwellMs: ['dwellms'],
    rating: ['rating', 'stars', 'score', 'overall', 'ratingvalue', 'reviewscore', 'userrating', 'bookrating'].concat([
      ...['starrating', 'ratingscore', 'reviewrating', 'grade', 'myrating'],
    ]),
  },
  pins: {
    pinId: [...pinNames, 'id'],
    title: ['title', 'name', 'headline', 'productname', 'itemname', 'producttitle', 'booktitle', 'movietitle'],
    description: ['description', 'summary', 'abstract', 'text', 'body', 'desc', 'productdescription', 'detaildesc'],
    topics: ['topics', 'genres', 'genre', 'categories', 'category', 'topic', 'tags', 'department'],
    creatorId: [
      ...[
        'creatorid',
        'creator',
        'author',
        'authorid',
        'artist',
        'artistid',
        'brand',
        'director',
        'seller',
        'sellerid',
      ],
      ...['bookauthor', 'vendor', 'publisher', 'channel', 'channelid'],
    ],
    createdAt: ['createdat', 'publishedat', 'created', 'published', 'releasedate', 'date', 'timestamp', 'year'].concat([
      ...['publishdate', 'publicationdate', 'pubdate', 'yearofpublication', 'releaseyear'],
    ]),
    locale: ['locale', 'language', 'lang'],
    imageUrl: ['imageurl', 'image', 'imgurl', 'poster', 'posterurl', 'thumbnail', 'picture', 'imageurll'],
    visualEmbedding: ['visualembedding', 'embedding', 'vector'],
    availableFrom: ['availablefrom', 'validfrom', 'startsat'],
    expiresAt: ['expiresat', 'expires', 'validuntil', 'endsat'],
    safetyLabels: ['safetylabels', 'contentlabels'],
    minAge: ['minage', 'minimumage', 'agelimit'],
    imageSignature: ['imagesignature', 'imagehash', 'phash'],
    deleted: ['deleted', 'isdeleted', 'removed'],
  },
}

/** A name without its case, spaces, hyphens, points and underscores. */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_.-]/g, '')
}
